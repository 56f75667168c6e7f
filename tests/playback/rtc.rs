//! Over WebRTC: the conversation of live viewing, orders and times on its socket.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use h5edge::base::time::{MediaTime, MonoTime};
use h5edge::media::frame::{Frame, Track};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{Client, PATIENCE};
use crate::clips::Clip;
use crate::kept::{BASELINE, HIGH, Site};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(site: &Site, target: &str) -> Socket {
    let mut socket = connect_async(format!("ws://127.0.0.1:{}{target}", site.daemon.http)).await.unwrap().0;
    say(&mut socket, json!({"type": "open"})).await;
    socket
}

async fn say(socket: &mut Socket, value: Value) {
    socket.send(Message::text(value.to_string())).await.unwrap();
}

/// The next message; `None` when the server has closed.
async fn hear(socket: &mut Socket) -> Option<Value> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("no message") {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

/// A viewer with its signalling.
struct Viewer {
    socket: Socket,
    client: Client,
    times: Vec<String>,
}

impl Viewer {
    async fn open(site: &Site, target: &str) -> Self {
        let mut socket = connect(site, target).await;
        say(&mut socket, json!({"cmd": "H5_START"})).await;
        let offer = hear(&mut socket).await.unwrap();
        assert_eq!(offer["type"], "offer", "{offer}");
        let mut client = Client::udp().await;
        let answer = client.answer(offer["sdp"].as_str().unwrap());
        say(&mut socket, json!({"type": "answer", "sdp": answer})).await;
        Self { socket, client, times: Vec::new() }
    }

    /// Exchanges packets for so long, and takes the times told.
    async fn watch(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.client.step(Duration::from_millis(10)).await;
            while let Ok(message) = tokio::time::timeout(Duration::ZERO, self.socket.next()).await {
                let Some(Ok(Message::Text(text))) = message else { panic!("{message:?}") };
                let text: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(text["type"], "H5S_EVENT_PB_TIME", "{text}");
                self.times.push(text["pbTime"]["strTime"].as_str().unwrap().to_owned());
            }
        }
    }

    async fn order(&mut self, order: Value) {
        say(&mut self.socket, order).await;
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_span_plays_pauses_and_moves() {
    let site = Site::new(&[("a", &BASELINE, 0, 20), ("b", &BASELINE, 60, 80)]);
    let mut viewer = Viewer::open(&site, &site.span("h5srtcapi", 2, 80)).await;
    viewer.client.run_until("the first picture", |client| !client.units().is_empty()).await;
    viewer.watch(5 * SECOND).await;
    let units = viewer.client.units();
    assert!(units[0].1, "a key frame first");
    assert!((100..=165).contains(&units.len()), "{} pictures in 5 s", units.len());
    // Nothing of the beginning was lost while the viewer connected.
    let steps: Vec<u32> = units.windows(2).map(|pair| pair[1].0.wrapping_sub(pair[0].0)).collect();
    assert!(steps.iter().all(|step| (90..45_000).contains(step)), "{steps:?}");
    assert_eq!(viewer.times[0], site.time(2));

    viewer.order(json!({"cmd": "H5_PAUSE"})).await;
    viewer.watch(SECOND).await;
    let paused = viewer.client.units().len();
    viewer.watch(12 * SECOND).await;
    assert_eq!(viewer.client.units().len(), paused);
    viewer.order(json!({"cmd": "H5_RESUME"})).await;
    viewer.watch(3 * SECOND).await;
    let units = viewer.client.units();
    assert!(units.len() >= paused + 50, "the session outlived the pause");
    let jump = units[paused].0.wrapping_sub(units[paused - 1].0);
    assert!(jump > 10 * 90_000, "the stamps follow the clock: {jump}");

    viewer.order(json!({"cmd": "H5_SEEK", "nSeekTime": 60})).await;
    viewer.order(json!({"cmd": "H5_SPEED", "nSpeed": "2.0"})).await;
    let before = viewer.client.units().len();
    viewer.watch(4 * SECOND).await;
    let after = viewer.client.units().len() - before;
    assert!((140..=260).contains(&after), "{after} pictures in 4 s at speed 2");
    let last = viewer.times.last().unwrap();
    assert!(last >= &site.time(64) && last <= &site.time(74), "{last}");
}

/// Two seconds of pictures of 30 kB, the first of them a key frame or none.
fn heavy(begins: bool) -> Clip {
    let frame = |n: i64| {
        let at = MediaTime::from_millis(n * 40);
        let key = begins && n == 0;
        // One slice behind its length: of a key frame, or of another.
        let mut data = 30_000_u32.to_be_bytes().to_vec();
        data.push(if key { 0x65 } else { 0x41 });
        data.resize(30_004, 0x55);
        let duration = MediaTime::from_millis(40);
        Frame {
            track: Track::Video,
            pts: at,
            dts: at,
            duration,
            key,
            data: data.into(),
            arrived: MonoTime::default(),
        }
    };
    Clip { params: BASELINE.params.clone(), frames: (0..50).map(frame).collect() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sought_far_behind_a_key_frame_is_shown() {
    let (first, other) = (heavy(true), heavy(false));
    let site = Site::new(&[("a", &BASELINE, 0, 2)]);
    site.add("b", &[&first, &other, &other, &other], 10, 26);
    let mut viewer = Viewer::open(&site, &site.span("h5srtcapi", 0, 26)).await;
    viewer.client.run_until("the first picture", |client| !client.units().is_empty()).await;
    let before = viewer.client.units().len();
    viewer.order(json!({"cmd": "H5_SEEK", "nSeekTime": 17})).await;
    let came = |client: &Client| client.units().iter().skip(before).filter(|unit| !unit.1).count();
    viewer.client.run_until("most up to there", |client| came(client) >= 165).await;
    let units = viewer.client.units().split_off(before);
    // The first file may still have sent some.
    let key = units.iter().rposition(|unit| unit.1).expect("a key frame");
    assert!(units.len() - key >= 150, "{} pictures without a key frame", units.len() - key);
    viewer.watch(SECOND).await;
    assert!(viewer.times.last().unwrap() >= &site.time(17), "{:?}", viewer.times);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_is_said() {
    let site = Site::new(&[("a", &HIGH, 0, 4)]);
    for (target, text, fall_back) in [
        (site.span("h5srtcapi", 0, 4), "the stream has B-frames, which WebRTC cannot carry", true),
        (site.span("h5srtcapi2", 10, 20), "nothing is recorded of token1 from ", false),
        (site.target("h5srtcapi", &[("begintime", "x")]), "parameter begintime: x is not a time", false),
    ] {
        let mut socket = connect(&site, &target).await;
        let error = hear(&mut socket).await.unwrap();
        assert_eq!((&error["type"], &error["bFallback"]), (&json!("error"), &json!(fall_back)), "{error}");
        assert!(error["strCode"].as_str().unwrap().starts_with(text), "{error}");
        assert_eq!(hear(&mut socket).await, None);
    }
    let status = site.daemon.api_ok("h5srtcapi/Status", &[]);
    assert_eq!(status["nConnectCount"], 0, "{status}");
}
