//! HLS of a span: a playlist of byte ranges of the files, as ffmpeg and a plain client see it.

use std::process::Command;

use serde_json::Value;

use crate::kept::{BASELINE, SOUND, Site};
use crate::support::http;

fn target(site: &Site, from: i64, to: i64) -> String {
    let encode = |seconds| site.time(seconds).replace('+', "%2B");
    let (begin, end, session) = (encode(from), encode(to), &site.daemon.session);
    format!("/hls/vod/token1/hls.m3u8?begintime={begin}&endtime={end}&session={session}")
}

#[test]
fn ffprobe_reads_a_span_of_two_files() {
    let site = Site::new(&[("a", &SOUND, 0, 30), ("b", &SOUND, 40, 50)]);
    let playlist = http::get(site.daemon.http, &target(&site, 7, 100));
    assert_eq!((playlist.status, playlist.header("cache-control")), (200, Some("no-store")));
    assert_eq!(playlist.header("content-type"), Some("application/vnd.apple.mpegurl"));
    let text = playlist.text();
    let tags = |tag: &str| text.lines().filter(|line| line.starts_with(tag)).count();
    let counts =
        ["#EXT-X-MAP", "#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-ENDLIST"].map(tags);
    assert_eq!(counts, [2, 1, 2, 1], "{text}");
    assert!(text.contains("#EXT-X-PLAYLIST-TYPE:VOD\n"), "{text}");
    let dates = text.lines().filter_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:"));
    let wanted = [6, 40].map(|seconds| site.time(seconds).replace("+05:45", ".000+05:45"));
    assert_eq!(dates.collect::<Vec<_>>(), wanted);

    let url = format!("http://127.0.0.1:{}{}", site.daemon.http, target(&site, 7, 100));
    let probe = Command::new("ffprobe")
        .args(["-v", "warning", "-count_packets", "-of", "json", "-show_entries"])
        .args(["stream=codec_name,nb_read_packets:format=duration", &url])
        .output()
        .expect("ffprobe");
    let warnings = String::from_utf8_lossy(&probe.stderr).into_owned();
    let found: Value = serde_json::from_slice(&probe.stdout).unwrap_or_else(|e| panic!("{e}: {warnings}"));
    let video = found["streams"].as_array().unwrap().iter().find(|s| s["codec_name"] == "h264").unwrap();
    // 24 s of the first file, from the segment that covers 7 s on, and 10 s of the second.
    assert_eq!(video["nb_read_packets"], (34 * 25).to_string(), "{found} {warnings}");
    let seconds: f64 = found["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((33.9..34.1).contains(&seconds), "{seconds}");
    assert!(!warnings.contains("rror"), "{warnings}");
}

#[test]
fn every_range_is_whole_fragments_that_begin_with_a_key_frame() {
    let site = Site::new(&[("a b+c", &BASELINE, 0, 20)]);
    let text = http::get(site.daemon.http, &target(&site, 0, 20)).text();
    let mut ranges = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(range) = line.strip_prefix("#EXT-X-BYTERANGE:") else { continue };
        let (len, at) = range.split_once('@').unwrap();
        let (len, at): (usize, usize) = (len.parse().unwrap(), at.parse().unwrap());
        let url = lines.next().unwrap();
        let range = format!("bytes={at}-{}", at + len - 1);
        let part = http::request(site.daemon.http, "GET", url, &[("Range", &range)], b"");
        assert_eq!((part.status, part.body.len()), (206, len), "{url}");
        assert_eq!(&part.body[4..8], b"moof");
        ranges += 1;
    }
    assert_eq!(ranges, 4, "segments of 6 s: {text}");
    let init =
        text.lines().find_map(|line| line.strip_prefix("#EXT-X-MAP:URI=\"")?.strip_suffix('"')).unwrap();
    let init = http::get(site.daemon.http, &format!("/hls/vod/token1/{init}"));
    assert_eq!((init.status, &init.body[4..8]), (200, b"ftyp".as_slice()));
}

#[test]
fn what_cannot_be_had_is_said() {
    let site = Site::new(&[("a", &BASELINE, 0, 4)]);
    let port = site.daemon.http;
    let fault = |target: &str, status: u16| {
        let answer = http::get(port, target);
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        answer.json()["strCode"].as_str().expect("words").to_owned()
    };
    assert!(fault(&target(&site, 10, 20), 404).starts_with("nothing is recorded of token1 from "));
    assert_eq!(
        fault(&target(&site, 0, 100_000), 400),
        "parameter endtime is more than 24 hours after begintime"
    );
    assert_eq!(fault(&target(&site, 4, 2), 400), "parameter endtime is not after begintime");
    assert_eq!(
        fault(&target(&site, 0, 4).replace("hls.m3u8", "init-99.mp4"), 404),
        "the footage was deleted"
    );
    assert_eq!(fault(&target(&site, 0, 4).replace("hls.m3u8", "x.mp4"), 404), "hls: no file x.mp4");
    fault(&target(&site, 0, 4).replace("session=", "session=x"), 401);
}
