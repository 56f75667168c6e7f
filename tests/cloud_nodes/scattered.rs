//! A balancer that sends every request to another node: HLS and WHEP, of which a node keeps something in its memory.

use std::time::{Duration, Instant};

use str0m::media::{Direction, MediaKind};
use str0m::{Candidate, RtcConfig};

use crate::support::http::{self, Response};
use crate::yard::{MAPPED, REGISTERED, Yard};

/// Segments that a player gets.
const SEGMENTS: usize = 5;
/// Five segments of two seconds, and as much again.
const PLAYED: Duration = Duration::from_secs(25);

/// By way of the balancer, on a connection of its own.
fn get(yard: &Yard, target: &str) -> Response {
    http::get(yard.balancer.port, target)
}

fn number(playlist: &str, tag: &str) -> u64 {
    let line = playlist.lines().find_map(|line| line.strip_prefix(tag));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {tag} in {playlist}"))
}

/// Plays as a player does; the names of the segments, in order.
fn play(yard: &Yard, version: &str) -> Vec<String> {
    let folder = format!("/hls/{version}/{MAPPED}");
    let session = &yard.nodes[0].session;
    let (mut names, mut first, since) = (Vec::<String>::new(), None, Instant::now());
    while names.len() < SEGMENTS {
        assert!(since.elapsed() < PLAYED, "{version}: {names:?} after {PLAYED:?}");
        let playlist = get(yard, &format!("{folder}/hls.m3u8?session={session}"));
        assert_eq!(playlist.status, 200, "{}", playlist.text());
        let playlist = playlist.text();
        let sequence = number(&playlist, "#EXT-X-MEDIA-SEQUENCE:");
        let first = *first.get_or_insert(sequence);
        let listed = playlist.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for (place, name) in (sequence - first..).zip(listed) {
            // Each node that lists for itself would have other names for the same places.
            match names.get(place as usize) {
                Some(known) => assert_eq!(known, name, "{playlist}"),
                None => {
                    assert_eq!(place as usize, names.len(), "a hole: {playlist}");
                    let segment = get(yard, &format!("{folder}/{name}"));
                    assert_eq!(segment.status, 200, "{name}: {}", segment.text());
                    assert!(segment.body.len() > 10_000, "{name}: {} bytes", segment.body.len());
                    names.push(name.to_owned());
                }
            }
        }
        std::thread::sleep(Duration::from_millis(400));
    }
    names
}

/// A WHEP session opened at that node; its address.
fn watch(yard: &Yard, at: usize) -> String {
    let mut rtc = RtcConfig::new().build(Instant::now());
    let here = "127.0.0.1:9".parse().expect("an address");
    rtc.add_local_candidate(Candidate::host(here, "udp").expect("a candidate"));
    let mut changes = rtc.sdp_api();
    changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    let offer = changes.apply().expect("an offer").0.to_sdp_string();
    let target = format!("/whep/{MAPPED}?session={}", yard.nodes[at].session);
    let form = [("Content-Type", "application/sdp")];
    let answer = http::request(yard.nodes[at].http, "POST", &target, &form, offer.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    format!("/whep/{}", answer.header("location").expect("an address"))
}

#[test]
fn every_request_may_come_to_another_node() {
    let yard = Yard::new(1, REGISTERED);
    (0..3).for_each(|node| drop(yard.wait_listed(node, true)));
    let session = yard.nodes[0].session.clone();
    for _ in 0..6 {
        let listed = get(&yard, &format!("/api/v1/GetSrc?session={session}"));
        assert!(listed.json()["src"].is_array(), "{}", listed.text());
    }
    let names = std::thread::scope(|scope| {
        let other = scope.spawn(|| play(&yard, "v2"));
        let names = play(&yard, "v1");
        other.join().expect("a player of v2");
        names
    });
    // One camera leaves the edge once, and is cut at one node.
    assert_eq!(yard.edge.source("cam1").expect("the camera")["nViewers"], 1);

    // A segment is the same wherever it is asked for, and so is what is refused.
    let newest = format!("/hls/v1/{MAPPED}/{}", names.last().expect("a segment"));
    let ask = |method, target: &str| {
        let asked = yard.nodes.iter().map(|node| http::request(node.http, method, target, &[], b""));
        let known = ["content-type", "content-length", "cache-control"];
        let facts = asked.map(|answer| {
            let headers = known.map(|name| answer.header(name).map(str::to_owned));
            (answer.status, headers, answer.body)
        });
        let answers: Vec<_> = facts.collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{method} {target}");
        answers[0].0
    };
    // The playlist moves on meanwhile, so the segment has to be there still.
    get(&yard, &format!("/hls/v1/{MAPPED}/hls.m3u8?session={session}"));
    assert_eq!(ask("GET", &newest), 200);
    assert_eq!(ask("HEAD", &newest), 200);
    let bare = newest.split('?').next().expect("a path");
    assert_eq!(ask("GET", &format!("{bare}?session=0")), 401);
    assert_eq!(ask("GET", &format!("/hls/v1/{MAPPED}/none.ts?session={session}")), 404);

    // A session of a node without the tunnel is steered and ended at another one.
    let whep = watch(&yard, 0);
    assert!(whep.starts_with(&format!("/whep/{MAPPED}/a.")), "{whep}");
    let at = |node: usize, method, target: &str| {
        http::request(yard.nodes[node].http, method, target, &[], b"a=candidate-nonsense\r\n").status
    };
    let (there, here) = (at(2, "PATCH", &whep), at(0, "PATCH", &whep));
    assert_eq!(there, here);
    assert_eq!(at(2, "DELETE", &whep), 200);
    assert_eq!((at(2, "DELETE", &whep), at(0, "DELETE", &whep)), (404, 404));
    for foreign in ["/whep/site1-cam1/z.5", "/whep/site1-cam1/*.5", "/whep/site1-cam1/5"] {
        assert_eq!(at(0, "DELETE", foreign), 404, "{foreign}");
    }
}
