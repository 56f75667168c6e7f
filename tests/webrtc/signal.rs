//! The h5srtcapi conversation over a real WebSocket (docs/protocol.md 2), with a viewer on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, PATIENCE, frame, stream};
use futures_util::{SinkExt, StreamExt};
use h5edge::base::config::IceServer;
use h5edge::base::secret::Secret;
use h5edge::base::time::MediaTime;
use h5edge::media::params::VideoCodec::{self, H264, H265};
use h5edge::media::stream::Stream;
use h5edge::play::webrtc::{MAX_SIGNAL_MESSAGE, Rtc, RtcSettings};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use warp::Filter;

struct Site {
    rtc: Rtc,
    stream: Arc<Stream>,
    address: SocketAddr,
    shutdown: CancellationToken,
    /// Drops all conversations in the middle, as the API does when a viewer loses the right to look.
    dismiss: CancellationToken,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server with `stream` on `/h5srtcapi`.
async fn site(stream: Arc<Stream>) -> Site {
    let shutdown = CancellationToken::new();
    let ice = IceServer {
        urls: vec!["turn:turn.example:3478".into()],
        username: "u".into(),
        credential: Secret::new("s"),
    };
    let settings = RtcSettings { port: 0, public_addresses: vec![], ice_servers: vec![ice], max_viewers: 2 };
    let rtc = Rtc::start(settings, shutdown.clone()).unwrap();
    let (serving, shown) = (rtc.clone(), stream.clone());
    let dismiss = CancellationToken::new();
    let dismissed = dismiss.clone();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let route = warp::path("h5srtcapi").and(warp::ws()).map(move |ws: warp::ws::Ws| {
        let (rtc, stream, dropped) = (serving.clone(), shown.clone(), dismissed.clone());
        ws.max_message_size(MAX_SIGNAL_MESSAGE).on_upgrade(async move |s| {
            dropped.run_until_cancelled(rtc.signal(s, stream, address)).await;
        })
    });
    tokio::spawn(warp::serve(route).incoming(listener).run());
    Site { rtc, stream, address, shutdown, dismiss }
}

impl Site {
    async fn connect(&self) -> Socket {
        connect_async(format!("ws://{}/h5srtcapi", self.address)).await.unwrap().0
    }

    async fn empty(&self) {
        let empty = async {
            while self.rtc.connect_count() > 0 || self.stream.viewers() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, empty).await.expect("the session is still there");
    }
}

async fn say(socket: &mut Socket, value: Value) {
    socket.send(Message::text(value.to_string())).await.unwrap();
}

/// The next JSON message; `None` when the server closed.
async fn hear(socket: &mut Socket) -> Option<Value> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("no message") {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

/// Asks for the offer, past the ICE servers.
async fn offer(socket: &mut Socket) -> String {
    say(socket, json!({"type": "keepalive"})).await;
    say(socket, json!({"type": "open"})).await;
    let ice = hear(socket).await.unwrap();
    assert_eq!((ice["type"].as_str(), ice["iceTransportPolicy"].as_str()), (Some("iceserver"), Some("all")));
    assert_eq!(
        ice["iceServers"],
        json!([{"urls": ["turn:turn.example:3478"], "username": "u", "credential": "s"}])
    );
    let offer = hear(socket).await.unwrap();
    assert_eq!(offer["type"], "offer");
    offer["sdp"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_conversation_that_is_dropped_takes_its_session_along() {
    let site = site(stream(H264, 20, 50)).await;
    let mut socket = site.connect().await;
    let sdp = offer(&mut socket).await;
    let mut client = Client::udp().await;
    let answer = client.answer(&sdp);
    say(&mut socket, json!({"type": "answer", "sdp": answer})).await;
    client.run_until("pictures", |c| c.units().len() >= 20).await;
    assert_eq!(site.rtc.connect_count(), 1);
    site.dismiss.cancel();
    site.empty().await;
    client.run_until("the goodbye", |c| !c.rtc.is_alive()).await;
}

#[tokio::test]
async fn a_client_that_answers_gets_pictures_until_it_leaves() {
    let site = site(stream(H264, 20, 50)).await;
    let mut socket = site.connect().await;
    let sdp = offer(&mut socket).await;
    let lines: Vec<&str> = sdp.lines().collect();
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(has("a=msid:cam1video_label video_label"), "old pages show only tracks of a stream:\n{sdp}");
    assert!(has("a=sendonly") && has("a=group:BUNDLE") && has("a=setup:actpass") && has("a=rtcp-mux"));
    assert_eq!(lines.iter().filter(|l| l.starts_with("m=")).count(), 1);
    let format = lines.iter().find(|l| l.starts_with("a=fmtp:96")).unwrap();
    assert!(format.contains("packetization-mode=1") && format.contains("profile-level-id=42e01f"));
    assert!(has("a=candidate") && has("a=rtcp-fb:96 nack pli") && has("a=rtpmap:97 rtx/90000"));

    let mut client = Client::udp().await;
    let answer = client.answer(&sdp);
    say(&mut socket, json!({"candidate": "candidate:1 1 udp 1 x.local 9 typ host", "sdpMLineIndex": 0}))
        .await;
    say(&mut socket, json!({"sdp": answer, "type": "answer"})).await;
    client.run_until("the replay", |c| c.units().len() >= 20).await;
    assert!(client.units()[0].1);
    assert_eq!(site.rtc.connect_count(), 1);

    drop(socket);
    site.empty().await;
    client.run_until("the goodbye", |c| !c.rtc.is_alive()).await;
}

/// What the client hears after `open`, before the socket closes.
async fn refusal(site: &Site) -> Value {
    let mut socket = site.connect().await;
    say(&mut socket, json!({"type": "open"})).await;
    let error = hear(&mut socket).await.unwrap();
    assert!(hear(&mut socket).await.is_none(), "the socket closes after an error");
    error
}

#[tokio::test]
async fn b_frames_are_refused_with_a_hint_to_fall_back() {
    let reordered = stream(H264, 1, 50);
    let mut late = frame(1, 50, 0);
    late.pts += MediaTime(7200);
    reordered.hub.push(late);
    let site = site(reordered).await;
    let error = refusal(&site).await;
    assert_eq!((&error["type"], &error["bFallback"]), (&json!("error"), &json!(true)));
    assert!(error["strCode"].as_str().unwrap().contains("B-frames"));
    site.empty().await;
}

async fn turned_down(codec: VideoCodec, h265: bool) -> Option<Value> {
    let site = site(stream(codec, 5, 50)).await;
    let mut socket = site.connect().await;
    let sdp = offer(&mut socket).await;
    assert!(sdp.contains("H265/90000"), "an H.265 stream is offered as such:\n{sdp}");
    let answer = Client::udp_with(h265).await.answer(&sdp);
    say(&mut socket, json!({"type": "answer", "sdp": answer})).await;
    let reply = tokio::time::timeout(Duration::from_millis(500), hear(&mut socket)).await.ok().flatten();
    drop(socket);
    site.empty().await;
    reply
}

#[tokio::test]
async fn a_client_without_h265_is_told_to_fall_back() {
    let error = turned_down(H265, false).await.expect("an error");
    assert_eq!((&error["type"], &error["bFallback"]), (&json!("error"), &json!(true)));
    assert!(turned_down(H265, true).await.is_none(), "one that takes it is not");
}

#[tokio::test]
async fn the_socket_closes_with_the_source_and_with_the_server() {
    let site = site(stream(H264, 5, 50)).await;
    for by_source in [true, false] {
        let mut socket = site.connect().await;
        let sdp = offer(&mut socket).await;
        let mut client = Client::udp().await;
        let answer = client.answer(&sdp);
        say(&mut socket, json!({"type": "answer", "sdp": answer})).await;
        client.run_until("pictures", |c| c.units().len() == 5).await;
        if by_source {
            site.stream.hub.end();
        } else {
            site.shutdown.cancel();
        }
        let error = hear(&mut socket).await.unwrap();
        assert_eq!((&error["type"], &error["bFallback"]), (&json!("error"), &json!(false)));
        assert!(hear(&mut socket).await.is_none());
        site.empty().await;
        if by_source {
            site.stream.hub.begin(crate::client::params(H264));
            (0..5).for_each(|n| site.stream.hub.push(frame(n, 50, 2000)));
        }
    }
}

#[tokio::test]
async fn nonsense_is_refused_by_name() {
    let site = site(stream(H264, 5, 50)).await;
    let mut socket = site.connect().await;
    offer(&mut socket).await;
    say(&mut socket, json!({"type": "answer", "sdp": "nonsense"})).await;
    let error = hear(&mut socket).await.unwrap();
    assert!(error["strCode"].as_str().unwrap().starts_with("sdp: "), "{error}");
    assert_eq!(error["bFallback"], false);
    site.empty().await;
}
