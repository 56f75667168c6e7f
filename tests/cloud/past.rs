//! Recordings of a site over WebRTC, whose media comes from the central, and what viewers of recordings are told when
//! the site goes.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use h5edge::base::wall::Wall;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::Client;
use crate::recorded::{record, text};
use crate::support::daemon::Daemon;
use crate::support::scene::PATIENCE;
use crate::support::ws;
use crate::yard::{MAPPED, Yard};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn target(call: &str, central: &Daemon, entry: &Value) -> String {
    let encode = |field| text(entry, field).replace('+', "%2B");
    let (begin, end) = (encode("strStartTime"), encode("strEndTime"));
    let session = &central.session;
    format!("/api/v1/{call}?token={MAPPED}&playback=true&begintime={begin}&endtime={end}&session={session}")
}

async fn say(socket: &mut Socket, value: Value) {
    socket.send(Message::text(value.to_string())).await.expect("an open socket");
}

/// The next message; `None` when the central has closed.
async fn hear(socket: &mut Socket) -> Option<Value> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("a message") {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

/// A WebRTC viewer with its signalling, and what it was told.
struct Viewer {
    socket: Socket,
    client: Client,
    told: Vec<Value>,
    closed: bool,
}

impl Viewer {
    async fn open(central: &Daemon, entry: &Value) -> Self {
        let address = format!("ws://127.0.0.1:{}{}", central.http, target("h5srtcapi", central, entry));
        let mut socket = connect_async(address).await.expect("a socket").0;
        say(&mut socket, json!({"type": "open"})).await;
        say(&mut socket, json!({"cmd": "H5_START"})).await;
        let offer = hear(&mut socket).await.expect("an offer");
        assert_eq!(offer["type"], "offer", "{offer}");
        let mut client = Client::udp().await;
        let answer = client.answer(offer["sdp"].as_str().expect("a text"));
        say(&mut socket, json!({"type": "answer", "sdp": answer})).await;
        Self { socket, client, told: Vec::new(), closed: false }
    }

    /// Exchanges packets until `done` or, after so long, in vain.
    async fn watch(&mut self, span: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + span;
        while !done(self) {
            if Instant::now() >= end {
                return false;
            }
            self.client.step(Duration::from_millis(10)).await;
            while let Ok(message) = tokio::time::timeout(Duration::ZERO, self.socket.next()).await {
                match message {
                    Some(Ok(Message::Text(text))) => {
                        self.told.push(serde_json::from_str(&text).expect("JSON"));
                    }
                    _ => {
                        self.closed = true;
                        break;
                    }
                }
            }
        }
        true
    }

    fn pictures(&self) -> usize {
        self.client.units().len()
    }

    /// Times told, in milliseconds.
    fn times(&self) -> Vec<i64> {
        self.told.iter().filter_map(|told| told["pbTime"]["nTime"].as_i64()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_recording_plays_over_webrtc_pauses_and_moves() {
    let yard = Yard::new("control");
    let entry = record(&yard);
    let mut viewer = Viewer::open(&yard.central, &entry).await;
    assert!(viewer.watch(PATIENCE, |viewer| viewer.pictures() > 50).await, "{:?}", viewer.told);
    assert!(viewer.client.units()[0].1, "a key frame first");
    let (begin, _) = Wall::parse(text(&entry, "strStartTime"), &TimeZone::system()).expect("a time");
    assert!((begin.0..begin.0 + 1500).contains(&viewer.times()[0]), "{:?} of {entry}", viewer.told);

    say(&mut viewer.socket, json!({"cmd": "H5_PAUSE"})).await;
    viewer.watch(Duration::from_secs(2), |_| false).await;
    let paused = viewer.pictures();
    viewer.watch(Duration::from_secs(2), |_| false).await;
    assert_eq!(viewer.pictures(), paused);
    // At double speed to the end, and back from there.
    say(&mut viewer.socket, json!({"cmd": "H5_SPEED", "nSpeed": 2})).await;
    say(&mut viewer.socket, json!({"cmd": "H5_RESUME"})).await;
    assert!(viewer.watch(PATIENCE, |viewer| viewer.pictures() > paused + 20).await);
    say(&mut viewer.socket, json!({"cmd": "H5_SEEK", "nSeekTime": 0})).await;
    let back = |viewer: &Viewer| !viewer.times().is_sorted();
    assert!(viewer.watch(PATIENCE, back).await, "{:?}", viewer.told);
    // What makes no sense is said, and the socket stays.
    say(&mut viewer.socket, json!({"cmd": "H5_SPEED", "nSpeed": 99})).await;
    let fault = |viewer: &Viewer| {
        viewer.told.iter().any(|told| told["strCode"] == "nSpeed: 99 is not from 0.5 to 16")
    };
    assert!(viewer.watch(PATIENCE, fault).await && !viewer.closed, "{:?}", viewer.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_is_said_in_the_sites_words() {
    let yard = Yard::new("view");
    let entry = json!({"strStartTime": "2020-01-01T00:00:00Z", "strEndTime": "2020-01-01T01:00:00Z"});
    let address = |entry: &Value| {
        format!("ws://127.0.0.1:{}{}", yard.central.http, target("h5srtcapi", &yard.central, entry))
    };
    let refusal = async |address: String| {
        let mut socket = connect_async(address).await.expect("a socket").0;
        say(&mut socket, json!({"type": "open"})).await;
        let said = hear(&mut socket).await.expect("a word");
        assert_eq!((&said["type"], &said["bFallback"]), (&"error".into(), &false.into()), "{said}");
        text(&said, "strCode").to_owned()
    };
    let granted = "site site1: the box grants its central view only, and this takes playback";
    assert_eq!(refusal(address(&entry)).await, granted);
    yard.edge.api_ok("SetCloudInfo", &[("grant", "playback")]);
    let nothing = refusal(address(&entry)).await;
    assert!(
        nothing.starts_with("site site1: nothing is recorded of cam1 from 2020-01-01T00:00:00"),
        "{nothing}"
    );
    let unknown = refusal(address(&entry).replace(MAPPED, "site1-cam7")).await;
    assert!(unknown.starts_with("site site1: ") && unknown.contains("no source cam7"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_of_recordings_are_told_that_the_site_went() {
    let mut yard = Yard::new("control");
    let entry = record(&yard);
    let mut rtc = Viewer::open(&yard.central, &entry).await;
    assert!(rtc.watch(PATIENCE, |viewer| viewer.pictures() > 5).await, "{:?}", rtc.told);
    let place = target("h5swsapi", &yard.central, &entry);
    let mut page = ws::Viewer::open(yard.central.http, &place).await.expect("a socket");
    page.watch_for(Duration::from_secs(3)).await;
    assert!(page.check_but_pace().frames() > 10);
    yard.edge.kill();
    page.until_closed(PATIENCE).await;
    let (code, why) = page.farewell.expect("a farewell");
    assert!(code == 4001 && why.starts_with("site site1 is not connected since 20"), "{code} {why}");
    let said = |viewer: &Viewer| viewer.told.iter().find(|told| told["type"] == "error").cloned();
    assert!(rtc.watch(PATIENCE, |viewer| said(viewer).is_some()).await, "{:?}", rtc.told);
    let why = said(&rtc).expect("a word");
    assert!(text(&why, "strCode").starts_with("site site1 is not connected since 20"), "{why}");
}
