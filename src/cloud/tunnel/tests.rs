use std::io::ErrorKind;

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::base::Kind;

const KEEPALIVE: Duration = Duration::from_secs(3);
const EDGE: Side = Side::Edge { keepalive: KEEPALIVE };

async fn sockets(size: usize) -> (WebSocketStream<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (near, far) = duplex(size);
    let config = Some(socket_config());
    (
        WebSocketStream::from_raw_socket(near, Role::Server, config).await,
        WebSocketStream::from_raw_socket(far, Role::Client, config).await,
    )
}

async fn tunnels() -> (Tunnel, Tunnel, Arrivals) {
    let (central, edge) = sockets(64 << 10).await;
    let (central, _) = Tunnel::start(central, Side::Central);
    let (edge, arrivals) = Tunnel::start(edge, EDGE);
    (central, edge, arrivals)
}

/// Sends back whatever comes, on each stream.
fn echo(mut arrivals: Arrivals) {
    tokio::spawn(async move {
        while let Some(stream) = arrivals.recv().await {
            tokio::spawn(async move {
                let (mut from, mut to) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
}

async fn asks(tunnel: &Tunnel, what: &[u8]) -> Vec<u8> {
    let (mut from, mut to) = tokio::io::split(tunnel.open().await.unwrap());
    let all = async {
        let mut got = Vec::new();
        from.read_to_end(&mut got).await.unwrap();
        got
    };
    let say = async {
        to.write_all(what).await.unwrap();
        to.shutdown().await.unwrap();
    };
    tokio::join!(all, say).0
}

#[tokio::test(start_paused = true)]
async fn streams_carry_bytes_both_ways_and_many_at_once() {
    let (central, edge, arrivals) = tunnels().await;
    echo(arrivals);
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| ((n * 7) >> 3) as u8).collect();
    let small = async {
        for n in 0..100_u32 {
            assert_eq!(asks(&central, &n.to_be_bytes()).await, n.to_be_bytes());
        }
    };
    assert!(tokio::join!(asks(&central, &large), small).0 == large);
    assert!(!central.is_over() && !edge.is_over());
}

#[tokio::test(start_paused = true)]
async fn an_idle_tunnel_stays_and_is_seen_to_be_there() {
    let (central, edge, arrivals) = tunnels().await;
    echo(arrivals);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(asks(&central, b"still there?").await, b"still there?");
    assert!(!edge.is_over());
}

#[tokio::test(start_paused = true)]
async fn one_stream_more_than_the_bound_is_refused_and_hurts_no_other() {
    let (central, _edge, arrivals) = tunnels().await;
    echo(arrivals);
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS {
        let mut stream = central.open().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        open.push(stream);
    }
    assert_eq!(central.open().await.unwrap_err().kind(), Kind::Full);
    for stream in &mut open {
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
    }
    open.truncate(1);
    assert_eq!(asks(&central, b"room again").await, b"room again");
    // Again and again: what went is not counted for ever.
    for _ in 0..10 {
        let many: Vec<_> =
            futures_util::future::join_all((1..MAX_STREAMS).map(|_| asks(&central, b"y"))).await;
        assert!(many.iter().all(|got| got == b"y"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_dropped_in_time_by_either_side() {
    for side in [Side::Central, EDGE] {
        let (near, _far) = sockets(64 << 10).await;
        let start = Instant::now();
        let (tunnel, _arrivals) = Tunnel::start(near, side);
        tunnel.ended().await;
        let took = start.elapsed();
        assert!(took >= SILENCE && took < SILENCE + Duration::from_millis(100), "{side:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_reading_and_writing_is_dropped_while_we_write() {
    let (central, edge) = sockets(1 << 10).await;
    let (tunnel, _) = Tunnel::start(central, Side::Central);
    let mut stream = tunnel.open().await.unwrap();
    let start = Instant::now();
    let written = tokio::spawn(async move {
        loop {
            stream.write_all(&[0; 4096]).await?;
        }
        #[allow(unreachable_code, reason = "gives the type")]
        io::Result::Ok(())
    });
    tunnel.ended().await;
    assert!(start.elapsed() < SILENCE + Duration::from_millis(100), "{:?}", start.elapsed());
    assert_eq!(written.await.unwrap().unwrap_err().kind(), ErrorKind::WriteZero);
    drop(edge);
}

#[tokio::test(start_paused = true)]
async fn whoever_reads_a_stream_learns_that_the_tunnel_is_over() {
    for end in [0, 1, 2] {
        let (central, edge, mut arrivals) = tunnels().await;
        let mut near = central.open().await.unwrap();
        near.write_all(b"x").await.unwrap();
        let mut far = arrivals.recv().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'x');
        let reads =
            tokio::spawn(async move { (near.read_u8().await.is_err(), far.read_u8().await.is_err()) });
        tokio::task::yield_now().await;
        let start = Instant::now();
        match end {
            0 => central.close(),
            1 => edge.close(),
            _ => drop(central.clone()),
        }
        if end == 2 {
            drop(central);
        }
        assert_eq!(reads.await.unwrap(), (true, true), "{end}");
        edge.ended().await;
        assert!(start.elapsed() < Duration::from_millis(100));
    }
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_opens_streams_is_dropped() {
    let (central, edge) = sockets(64 << 10).await;
    let (tunnel, _never) = Tunnel::start(central, Side::Central);
    // An edge that behaves as a central does, with the stream numbers of an edge.
    let pulse = Arc::new(Pulse::new());
    let mut hostile = Connection::new(Wire::new(edge, pulse), config(), Mode::Server);
    let stream = std::future::poll_fn(|cx| hostile.poll_new_outbound(cx)).await.unwrap();
    let mut stream = stream.compat();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    tokio::spawn(
        async move { while std::future::poll_fn(|cx| hostile.poll_next_inbound(cx)).await.is_some() {} },
    );
    let start = Instant::now();
    tunnel.ended().await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn texts_and_farewells_end_it_at_once() {
    for said in [Message::text("hello"), Message::Close(None)] {
        let (central, mut edge) = sockets(64 << 10).await;
        let (tunnel, _) = Tunnel::start(central, Side::Central);
        let start = Instant::now();
        edge.send(said).await.unwrap();
        tunnel.ended().await;
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn pings_go_out_while_media_does_and_a_pong_is_enough_to_live() {
    let (central, mut edge) = sockets(64 << 10).await;
    let (tunnel, _arrivals) = Tunnel::start(central, EDGE);
    let mut pings = 0;
    let until = Instant::now() + Duration::from_secs(60);
    while let Ok(Some(Ok(message))) = tokio::time::timeout_at(until, edge.next()).await {
        // Its pong goes with the next read.
        pings += usize::from(message.is_ping());
    }
    assert!((19..=21).contains(&pings), "{pings}");
    assert!(!tunnel.is_over());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn garbage_ends_a_tunnel_or_is_ignored(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            for side in [Side::Central, EDGE] {
                let (near, mut far) = sockets(64 << 10).await;
                let (_tunnel, _arrivals, work) = Tunnel::prepare(near, side);
                let work = tokio::spawn(work);
                for bytes in &messages {
                    let _ = far.send(Message::binary(bytes.clone())).await;
                }
                drop(far);
                tokio::time::timeout(Duration::from_secs(1), work).await.unwrap().unwrap();
            }
        });
    }

    /// Frames that yamux can read, in an order that makes no sense.
    #[test]
    fn frames_that_make_no_sense_end_a_tunnel_or_are_ignored(
        frames in prop::collection::vec((0_u8..5, 0_u16..16, 0_u32..6, 0_u32..2000), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            for side in [Side::Central, EDGE] {
                let (near, mut far) = sockets(64 << 10).await;
                let (tunnel, mut arrivals, work) = Tunnel::prepare(near, side);
                let work = tokio::spawn(work);
                let _mine = tunnel.open().await;
                tokio::spawn(async move { while arrivals.recv().await.is_some() {} });
                for &(kind, flags, stream, length) in &frames {
                    let mut bytes = vec![0, kind];
                    bytes.extend(flags.to_be_bytes());
                    bytes.extend(stream.to_be_bytes());
                    bytes.extend(length.to_be_bytes());
                    if kind == 0 {
                        bytes.resize(bytes.len() + length as usize, 7);
                    }
                    let _ = far.send(Message::binary(bytes)).await;
                    tokio::task::yield_now().await;
                }
                drop(far);
                tokio::time::timeout(Duration::from_secs(1), work).await.unwrap().unwrap();
            }
        });
    }
}
