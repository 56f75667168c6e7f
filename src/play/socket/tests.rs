use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

async fn pair() -> (Socket<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = duplex(1 << 20);
    (Socket::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Client, None).await)
}

#[tokio::test]
async fn messages_of_all_lengths_arrive_whole() {
    let (mut server, mut client) = pair().await;
    for len in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
        server.queue(vec![7; len / 3], Bytes::from(vec![9; len - len / 3]));
        let (sent, got) = tokio::join!(server.flush(), client.next());
        sent.unwrap();
        let wanted = [vec![7; len / 3], vec![9; len - len / 3]].concat();
        assert_eq!(got.unwrap().unwrap(), Message::binary(wanted));
        assert_eq!(server.queued(), 0);
    }
}

#[tokio::test]
async fn short_texts_are_heard_long_ones_skipped_and_pings_answered() {
    let (mut server, mut client) = pair().await;
    client.send(Message::text("k".repeat(5000))).await.unwrap();
    client.send(Message::Ping("abc".into())).await.unwrap();
    client.send(Message::binary(vec![1; 300])).await.unwrap();
    client.send(Message::text("k".repeat(2000))).await.unwrap();
    client.send(Message::text("")).await.unwrap();
    for heard in [Heard::Other, Heard::Other, Heard::Other, Heard::Text("k".repeat(2000))] {
        assert_eq!(server.hear().await.unwrap(), heard);
    }
    assert_eq!(server.hear().await.unwrap(), Heard::Text(String::new()));
    assert!(server.hear().now_or_never().is_none(), "nothing more was said");
    server.flush().await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("abc".into()));
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_is_still_heard() {
    let (ours, theirs) = duplex(1000);
    let (mut server, mut client) =
        (Socket::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Client, None).await);
    server.queue(vec![7; 5000], Bytes::from_static(b"tail"));
    assert!(server.turn().now_or_never().is_none(), "no room");
    client.send(Message::text("stop")).await.unwrap();
    assert_eq!(server.turn().await.unwrap(), Some(Heard::Text("stop".into())));
    assert!(server.queued() > 3000);
    let (written, got) = tokio::join!(server.turn(), client.next());
    assert_eq!(written.unwrap(), None);
    assert_eq!(got.unwrap().unwrap().len(), 5004);
    assert!(server.turn().now_or_never().is_none(), "nothing to say or hear");
}

#[tokio::test]
async fn goodbyes_are_heard_and_said() {
    let (mut server, mut client) = pair().await;
    client.close(None).await.unwrap();
    assert_eq!(server.hear().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    let (mut server, mut client) = pair().await;
    server.close(4001, "camera is away").await.unwrap();
    let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else { panic!("no close") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "camera is away"));
    let (mut server, client) = pair().await;
    drop(client);
    assert_eq!(server.hear().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn input_that_is_no_websocket_is_refused() {
    for bytes in [&b"\x81\x01a"[..], b"\x89\xfe\x01\x00mask", b"\xff\x80mask"] {
        let (ours, mut theirs) = duplex(1024);
        let mut server = Socket::new(ours);
        theirs.write_all(bytes).await.unwrap();
        assert!(server.hear().await.is_err(), "{bytes:?}");
    }
}

#[test]
fn the_handshake_is_the_one_of_the_rfc() {
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
