//! HLS over HTTP, with clips from real encoders: playlists against the rules of RFC 8216bis,
//! segments against ffmpeg, blocking requests against a camera that moves when the test says so.

mod clips;
mod hls_site;

use std::sync::Arc;
use std::time::Duration;

use clips::Clip;
use h5edge::base::Kind;
use h5edge::base::time::MediaTime;
use h5edge::media::hub::Hub;
use h5edge::media::stream::{OfflineReason, Status, Stream};
use h5edge::play::hls::{Hls, HlsQuery, HlsSettings, Version};
use hls_site::{Camera, Site, check_continuous, probe, soon};
use tokio_util::sync::CancellationToken;

/// Distance of AAC frames at 48 kHz.
const SOUND: f64 = 1024.0 / 48_000.0;
const PICTURE: f64 = 0.04;

/// A site with a running segmenter that was fed this long.
async fn site(clip: Clip, version: &str, seconds: f64) -> (Camera, Arc<Site>) {
    let mut camera = Camera::new(clip);
    let site = Arc::new(Site::new(camera.stream.clone()).await);
    camera.feed_one();
    let first = site.join(&camera, &format!("{version}/hls.m3u8")).await;
    camera.feed_until(seconds).await;
    assert_eq!(soon(first).await.unwrap().0, 200);
    (camera, site)
}

#[tokio::test]
async fn v1_segments_run_on_and_begin_with_key_frames() {
    let (_camera, site) = site(Clip::h264_baseline().with_aac(), "v1", 13.0).await;
    let list = site.playlist("v1/hls.m3u8").await;
    list.check();
    assert_eq!(list.number("#EXT-X-VERSION"), 3);
    assert_eq!(list.number("#EXT-X-TARGETDURATION"), 2);
    assert_eq!(list.segments.len(), 4);
    let mut whole = Vec::new();
    for (number, segment) in (list.first()..).zip(&list.segments) {
        assert_eq!(segment.uri, format!("hls{number}.ts"));
        assert_eq!(segment.duration, 2.0);
        let body = site.fetch(&format!("v1/{}", segment.uri)).await;
        assert!(probe(&body, "ts").iter().find(|p| p.video).unwrap().key);
        whole.extend(body);
    }
    let packets = probe(&whole, "ts");
    check_continuous(&packets, true, PICTURE);
    check_continuous(&packets, false, SOUND);
    // Older ones stay for players that are behind.
    assert_eq!(site.get(&format!("v1/hls{}.ts", list.first() - 1)).await.0, 200);
    assert_eq!(site.get(&format!("v1/hls{}.ts", list.next())).await.0, 404);
}

#[tokio::test]
async fn v2_keeps_the_rules_of_low_latency() {
    let (_camera, site) = site(Clip::h264_baseline().with_aac(), "v2", 13.1).await;
    let list = site.playlist("v2/hls.m3u8").await;
    list.check();
    assert_eq!(list.number("#EXT-X-VERSION"), 9);
    assert_eq!(list.segments.len(), 4);
    assert!((0.2..0.25).contains(&list.part_target()), "{}", list.part_target());
    let mut whole = site.fetch(&format!("v2/{}", list.segments[0].map)).await.to_vec();
    let init = whole.clone();
    for segment in &list.segments {
        let body = site.fetch(&format!("v2/{}", segment.uri)).await;
        let mut joined = Vec::new();
        for part in &segment.parts {
            let part_body = site.fetch(&format!("v2/{}", part.uri)).await;
            joined.extend_from_slice(&part_body);
            let alone = [init.as_slice(), &part_body].concat();
            if part.independent {
                assert!(probe(&alone, "mp4").iter().find(|p| p.video).unwrap().key, "{part:?}");
            }
        }
        if let Some(first) = segment.parts.first() {
            assert!(first.independent);
            assert_eq!(joined, body);
        }
        whole.extend(body);
    }
    let packets = probe(&whole, "mp4");
    check_continuous(&packets, true, PICTURE);
    check_continuous(&packets, false, SOUND);
    let hint = format!("seg{}.{}.m4s", list.next(), list.open.parts.len());
    assert_eq!(list.hint, Some(hint));
}

#[tokio::test]
async fn v2_carries_b_frames_and_h265() {
    for clip in [Clip::h264_high(), Clip::h265()] {
        let (_camera, site) = site(clip, "v2", 12.0).await;
        let list = site.playlist("v2/hls.m3u8").await;
        list.check();
        let mut whole = site.fetch(&format!("v2/{}", list.segments[0].map)).await.to_vec();
        for segment in &list.segments {
            whole.extend(site.fetch(&format!("v2/{}", segment.uri)).await);
        }
        check_continuous(&probe(&whole, "mp4"), true, PICTURE);
    }
}

#[tokio::test]
async fn a_reload_blocks_until_its_part_is_there() {
    let (mut camera, site) = site(Clip::h264_baseline(), "v2", 6.5).await;
    let list = site.playlist("v2/hls.m3u8").await;
    let (msn, part) = (list.next(), list.open.parts.len());
    let reload = site.ask(&format!("v2/hls.m3u8?_HLS_msn={msn}&_HLS_part={part}"));
    let hinted = site.ask(&format!("v2/{}", list.hint.unwrap()));
    let segment = site.ask(&format!("v2/hls.m3u8?_HLS_msn={msn}"));
    // A request that does not block overtakes the others: they wait.
    assert_eq!(site.playlist("v2/hls.m3u8").await.open.parts.len(), part);
    assert!(!reload.is_finished() && !hinted.is_finished() && !segment.is_finished());

    camera.feed_until(6.8).await;
    let (status, body) = soon(reload).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(status, 200);
    assert!(text.contains(&format!("URI=\"seg{msn}.{part}.m4s\"")), "{text}");
    let (status, body) = soon(hinted).await.unwrap();
    assert_eq!((status, &body[4..8]), (200, b"moof".as_slice()));
    assert_eq!(site.playlist("v2/hls.m3u8").await.next(), msn);
    assert!(!segment.is_finished());

    // A part beyond the end of a segment is the first of the next one.
    let beyond = site.ask(&format!("v2/hls.m3u8?_HLS_msn={msn}&_HLS_part=10"));
    camera.feed_until(7.65).await;
    let (status, body) = soon(segment).await.unwrap();
    assert_eq!(status, 200);
    assert!(String::from_utf8(body.to_vec()).unwrap().contains(&format!("\nseg{msn}.m4s\n")));
    assert_eq!(site.playlist("v2/hls.m3u8").await.hint, Some(format!("seg{}.0.m4s", msn + 1)));
    assert!(!beyond.is_finished());
    camera.feed_until(8.0).await;
    let text = soon(beyond).await.unwrap().1;
    assert!(String::from_utf8_lossy(&text).contains(&format!("URI=\"seg{}.0.m4s\"", msn + 1)));
}

#[tokio::test]
async fn a_wrong_request_is_told_what_is_wrong() {
    let (_camera, site) = site(Clip::h264_baseline(), "v2", 6.5).await;
    let next = site.playlist("v2/hls.m3u8").await.next();
    for (path, named) in [
        (format!("v2/hls.m3u8?_HLS_msn={}", next + 2), "_HLS_msn"),
        (format!("v2/hls.m3u8?_HLS_msn={next}&_HLS_part=99"), "_HLS_part"),
        ("v2/hls.m3u8?_HLS_part=0".to_owned(), "_HLS_part"),
        ("v2/hls.m3u8?_HLS_msn=x".to_owned(), "_HLS_msn"),
    ] {
        let (status, text) = site.get(&path).await;
        assert_eq!(status, 400, "{path}");
        assert!(String::from_utf8_lossy(&text).contains(named), "{path}: {text:?}");
    }
    for path in
        ["v2/hls1.ts", "v2/seg1.m4s", "v2/init-1.mp4", "v1/hls1.ts", "v2/x", &format!("v2/seg{next}.99.m4s")]
    {
        assert_eq!(site.get(path).await.0, 404, "{path}");
    }
    // Old numbers answer at once.
    assert_eq!(site.get(&format!("v2/hls.m3u8?_HLS_msn={}&_HLS_part=3", next - 2)).await.0, 200);
}

#[tokio::test]
async fn a_source_that_comes_back_is_a_discontinuity_with_its_own_init() {
    for version in ["v1", "v2"] {
        let (mut camera, site) = site(Clip::h264_baseline(), version, 5.0).await;
        let playlist = format!("{version}/hls.m3u8");
        let before = site.playlist(&playlist).await;
        camera.stream.hub.end();
        let listed = soon(async {
            loop {
                let list = site.playlist(&playlist).await;
                if list.next() > before.next() {
                    return list;
                }
            }
        });
        // What was open is finished, and nothing is announced while the source is away.
        assert_eq!(listed.await.hint, None);
        let mut viewers = camera.stream.hub.watch();
        camera.begin();
        viewers.borrow_and_update();
        camera.feed_one();
        camera.feed_until(5.0).await;
        let after = site.playlist(&playlist).await;
        after.check();
        assert!(after.first() >= before.first());
        let breaks: Vec<_> = after.segments.iter().filter(|s| s.discontinuity).collect();
        assert_eq!(breaks.len(), 1, "{after:?}");
        if version == "v2" {
            let mut file = site.fetch(&format!("v2/{}", breaks[0].map)).await.to_vec();
            assert_ne!(breaks[0].map, before.segments[0].map);
            file.extend(site.fetch(&format!("v2/{}", breaks[0].uri)).await);
            assert_eq!(probe(&file, "mp4")[0].dts, 0.0);
        }
        camera.feed_until(17.0).await;
        let later = site.playlist(&playlist).await;
        assert_eq!(later.number("#EXT-X-DISCONTINUITY-SEQUENCE"), 1);
        assert!(later.segments.iter().all(|s| !s.discontinuity));
    }
}

#[tokio::test]
async fn a_warm_stream_answers_at_once_with_what_the_ring_has() {
    let mut camera = Camera::new(Clip::h264_baseline());
    let site = Arc::new(Site::new(camera.stream.clone()).await);
    // The newest key frame is at 0.8 s in the clip; this much follows it.
    camera.feed_until(1.56).await;
    camera.stream.hub.push({
        let mut late = camera.stream.hub.picture().unwrap().frame.as_ref().clone();
        late.key = false;
        late.dts = MediaTime::from_millis(1900);
        late.pts = late.dts;
        late
    });
    let list = soon(site.playlist("v2/hls.m3u8")).await;
    assert!(list.segments[0].parts[0].independent);
    assert_eq!(site.hls.connect_count(), 1);
}

#[tokio::test]
async fn dates_follow_the_wall_clock() {
    let mut camera = Camera::new(Clip::h264_baseline());
    let site = Arc::new(Site::new(camera.stream.clone()).await);
    camera.feed_one();
    let start = std::time::SystemTime::now();
    let first = site.join(&camera, "v2/hls.m3u8").await;
    camera.feed_live_until(4.2).await;
    soon(first).await.unwrap();
    let list = site.playlist("v2/hls.m3u8").await;
    let dates: Vec<f64> = list.segments.iter().map(|s| seconds_of_day(&s.date)).collect();
    let since_midnight = start.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() % 86_400.0;
    assert!((dates[0] - since_midnight).abs() < 0.5, "{dates:?} {since_midnight}");
    for (pair, segment) in dates.windows(2).zip(&list.segments) {
        assert!((pair[1] - pair[0] - segment.duration).abs() < 0.002, "{dates:?}");
    }
}

fn seconds_of_day(date: &str) -> f64 {
    let time = date.split_once('T').unwrap().1.strip_suffix('Z').unwrap();
    time.split(':').fold(0.0, |sum, field| sum * 60.0 + field.parse::<f64>().unwrap())
}

#[tokio::test]
async fn many_players_share_one_segmenter() {
    let (camera, site) = site(Clip::h264_baseline(), "v2", 5.0).await;
    let asked: Vec<_> = (0..20).map(|_| site.ask("v2/hls.m3u8")).collect();
    for answer in asked {
        assert_eq!(soon(answer).await.unwrap().0, 200);
    }
    assert_eq!((camera.stream.viewers(), site.hls.connect_count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_segmenter_ends_when_nobody_asks_and_starts_again() {
    let mut camera = Camera::new(Clip::h264_baseline());
    let hls = Hls::new(HlsSettings::default(), CancellationToken::new());
    for _ in 0..2 {
        let mut viewers = camera.stream.watch_viewers();
        let request = hls.get(camera.stream.clone(), Version::V1, "hls.m3u8", HlsQuery::default());
        let feed = async {
            viewers.wait_for(|&n| n == 1).await.unwrap();
            camera.feed_until(5.0).await;
        };
        let (reply, ()) = tokio::join!(request, feed);
        assert_eq!(reply.unwrap().content_type, "application/vnd.apple.mpegurl");
        tokio::time::sleep(Duration::from_secs(19)).await;
        assert_eq!(hls.connect_count(), 1);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!((hls.connect_count(), camera.stream.viewers()), (0, 0));
        camera.begin();
    }
}

#[tokio::test(start_paused = true)]
async fn an_offline_source_says_why() {
    let stream = Stream::new("token1", Hub::new(1 << 20, MediaTime::from_secs(1)));
    let text = "connection refused".to_owned();
    stream.set_status(Status::Offline { reason: OfflineReason::Refused, text });
    let hls = Hls::new(HlsSettings::default(), CancellationToken::new());
    let error = hls.get(stream, Version::V2, "hls.m3u8", HlsQuery::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[tokio::test]
async fn shutdown_ends_segmenters_and_those_who_wait() {
    let camera = Camera::new(Clip::h264_baseline());
    let shutdown = CancellationToken::new();
    let hls = Hls::new(HlsSettings::default(), shutdown.clone());
    let mut viewers = camera.stream.watch_viewers();
    let request = hls.get(camera.stream.clone(), Version::V2, "hls.m3u8", HlsQuery::default());
    let stop = async {
        viewers.wait_for(|&n| n == 1).await.unwrap();
        shutdown.cancel();
    };
    let (reply, ()) = tokio::join!(request, stop);
    assert_eq!(reply.unwrap_err().kind(), Kind::Refused);
    soon(viewers.wait_for(|&n| n == 0)).await.unwrap();
}
