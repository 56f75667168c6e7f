//! A site to watch over HLS: a stream that a test feeds frame by frame, an HTTP server in front of
//! it, and a client that reads playlists.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use h5edge::base::Kind;
use h5edge::base::time::MediaTime;
use h5edge::media::frame::Frame;
use h5edge::media::hub::Hub;
use h5edge::media::params::Params;
use h5edge::media::stream::{Status, Stream};
use h5edge::play::hls::{Hls, HlsQuery, HlsSettings, Version};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::{Response, StatusCode};

use crate::clips::Clip;

/// A stream whose frames are a clip in an endless loop.
pub struct Camera {
    pub stream: Arc<Stream>,
    params: Params,
    clip: Vec<Frame>,
    next: usize,
}

impl Camera {
    pub fn new(clip: Clip) -> Self {
        // So much stays in the ring that a reader is never overtaken, however fast a test feeds.
        let hub = Hub::new(1 << 30, MediaTime::from_secs(1000));
        let stream = Stream::new("token1", hub);
        let mut camera = Self { stream, params: clip.params, clip: clip.frames, next: 0 };
        camera.begin();
        camera
    }

    /// Comes up: a new epoch whose time starts at 0.
    pub fn begin(&mut self) {
        self.next = 0;
        self.stream.hub.begin(self.params.clone());
        self.stream.set_status(Status::Online);
    }

    /// Adds the frames up to this time, and lets readers have each one as it comes.
    pub async fn feed_until(&mut self, seconds: f64) {
        while self.peek().dts.as_secs_f64() < seconds {
            self.feed_one();
            tokio::task::yield_now().await;
        }
    }

    /// Adds the frames up to this time at the pace of the wall clock.
    pub async fn feed_live_until(&mut self, seconds: f64) {
        let (start, first) = (tokio::time::Instant::now(), self.peek().dts);
        while self.peek().dts.as_secs_f64() < seconds {
            tokio::time::sleep_until(start + (self.peek().dts - first).to_duration()).await;
            self.feed_one();
        }
    }

    pub fn feed_one(&mut self) {
        let frame = self.peek();
        self.next += 1;
        self.stream.hub.push(frame);
    }

    fn peek(&self) -> Frame {
        let lap = MediaTime::from_secs(2 * (self.next / self.clip.len()) as i64);
        let mut frame = self.clip[self.next % self.clip.len()].clone();
        frame.dts += lap;
        frame.pts += lap;
        frame
    }
}

/// An HTTP server with one stream.
pub struct Site {
    pub hls: Arc<Hls>,
    base: String,
    client: reqwest::Client,
}

impl Site {
    pub async fn new(stream: Arc<Stream>) -> Self {
        let hls = Arc::new(Hls::new(HlsSettings::default(), CancellationToken::new()));
        let address = serve(hls.clone(), stream).await;
        Self { hls, base: format!("http://{address}/hls"), client: reqwest::Client::new() }
    }

    /// Status and body of a file, e.g. `v2/hls.m3u8?_HLS_msn=3`.
    pub async fn get(&self, path: &str) -> (u16, bytes::Bytes) {
        let answer = self.client.get(format!("{}/{path}", self.base)).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    }

    pub async fn fetch(&self, path: &str) -> bytes::Bytes {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        body
    }

    pub async fn playlist(&self, path: &str) -> Playlist {
        Playlist::parse(std::str::from_utf8(&self.fetch(path).await).unwrap())
    }

    /// A request that runs beside the test.
    pub fn ask(self: &Arc<Self>, path: &str) -> tokio::task::JoinHandle<(u16, bytes::Bytes)> {
        let (site, path) = (self.clone(), path.to_owned());
        tokio::spawn(async move { site.get(&path).await })
    }

    /// Starts a playlist request, and returns when the segmenter reads.
    pub async fn join(
        self: &Arc<Self>,
        camera: &Camera,
        path: &str,
    ) -> tokio::task::JoinHandle<(u16, bytes::Bytes)> {
        let mut viewers = camera.stream.watch_viewers();
        let before = *viewers.borrow();
        let asked = self.ask(path);
        viewers.wait_for(|&n| n > before).await.unwrap();
        asked
    }
}

async fn serve(hls: Arc<Hls>, stream: Arc<Stream>) -> SocketAddr {
    let raw_query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let route = warp::path!("hls" / String / String).and(raw_query).then(
        move |version: String, file: String, query: String| {
            let (hls, stream) = (hls.clone(), stream.clone());
            async move {
                let version = Version::parse(&version).unwrap();
                let reply = match HlsQuery::parse(&query) {
                    Ok(query) => hls.get(stream, version, &file, query).await,
                    Err(error) => Err(error),
                };
                match reply {
                    Ok(reply) => Response::builder()
                        .header("content-type", reply.content_type)
                        .header("cache-control", reply.cache.header())
                        .body(reply.body),
                    Err(error) => {
                        let status = match error.kind() {
                            Kind::NotFound => StatusCode::NOT_FOUND,
                            Kind::BadInput => StatusCode::BAD_REQUEST,
                            _ => StatusCode::SERVICE_UNAVAILABLE,
                        };
                        Response::builder().status(status).body(error.to_string().into())
                    }
                }
                .unwrap()
            }
        },
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(warp::serve(route).incoming(listener).run());
    address
}

/// A playlist as a player reads it.
#[derive(Debug, Default)]
pub struct Playlist {
    pub tags: HashMap<String, String>,
    pub segments: Vec<Segment>,
    /// The open segment: no URI yet.
    pub open: Segment,
    pub hint: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Segment {
    pub uri: String,
    pub duration: f64,
    pub map: String,
    pub discontinuity: bool,
    pub date: String,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub uri: String,
    pub duration: f64,
    pub independent: bool,
}

impl Playlist {
    pub fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"));
        let mut list = Self::default();
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXTINF" => list.open.duration = value.strip_suffix(',').unwrap().parse().unwrap(),
                "#EXT-X-DISCONTINUITY" => list.open.discontinuity = true,
                "#EXT-X-PROGRAM-DATE-TIME" => list.open.date = value.to_owned(),
                "#EXT-X-MAP" => list.open.map = quoted(value, "URI"),
                "#EXT-X-PRELOAD-HINT" => list.hint = Some(quoted(value, "URI")),
                "#EXT-X-PART" => list.open.parts.push(Part {
                    uri: quoted(value, "URI"),
                    duration: attribute(value, "DURATION").parse().unwrap(),
                    independent: value.contains("INDEPENDENT=YES"),
                }),
                _ if tag.starts_with('#') => {
                    assert!(list.tags.insert(tag.to_owned(), value.to_owned()).is_none(), "{tag} twice");
                }
                _ => {
                    list.open.uri = line.to_owned();
                    let map = list.open.map.clone();
                    list.segments
                        .push(std::mem::replace(&mut list.open, Segment { map, ..Segment::default() }));
                }
            }
        }
        list
    }

    pub fn number(&self, tag: &str) -> u64 {
        self.tags[tag].parse().unwrap()
    }

    /// Number of the first segment.
    pub fn first(&self) -> u64 {
        self.number("#EXT-X-MEDIA-SEQUENCE")
    }

    /// Number of the segment that comes next or is open.
    pub fn next(&self) -> u64 {
        self.first() + self.segments.len() as u64
    }

    pub fn part_target(&self) -> f64 {
        attribute(&self.tags["#EXT-X-PART-INF"], "PART-TARGET").parse().unwrap()
    }

    /// Checks what RFC 8216(bis) demands of every playlist.
    pub fn check(&self) {
        let target = self.number("#EXT-X-TARGETDURATION");
        for segment in &self.segments {
            assert!(segment.duration.round() as u64 <= target, "{segment:?} beyond {target}");
        }
        if !self.tags.contains_key("#EXT-X-PART-INF") {
            return;
        }
        let part = self.part_target();
        let control = &self.tags["#EXT-X-SERVER-CONTROL"];
        assert!(control.contains("CAN-BLOCK-RELOAD=YES"));
        assert!(attribute(control, "PART-HOLD-BACK").parse::<f64>().unwrap() >= 3.0 * part - 1e-9);
        assert!(attribute(control, "HOLD-BACK").parse::<f64>().unwrap() >= 3.0 * target as f64);
        let newest = self.segments.last().unwrap();
        assert!(!newest.parts.is_empty());
        for segment in &self.segments {
            let Some((last, others)) = segment.parts.split_last() else { continue };
            assert!(last.duration <= part);
            for p in others {
                assert!(p.duration <= part && p.duration >= 0.85 * part, "{p:?} for {part}");
            }
            let sum: f64 = segment.parts.iter().map(|p| p.duration).sum();
            assert!((sum - segment.duration).abs() < 0.001, "{segment:?}");
        }
    }
}

fn attribute(list: &str, name: &str) -> String {
    let pair = list.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    pair.unwrap_or_else(|| panic!("no {name} in {list}")).to_owned()
}

fn quoted(list: &str, name: &str) -> String {
    attribute(list, name).trim_matches('"').to_owned()
}

/// One packet as ffprobe sees it.
#[derive(Debug)]
pub struct Packet {
    pub video: bool,
    pub dts: f64,
    pub key: bool,
}

/// Packets of a file that must decode without a complaint.
pub fn probe(file: &[u8], extension: &str) -> Vec<Packet> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(format!("x.{extension}"));
    std::fs::write(&path, file).unwrap();
    let decoded = Command::new("ffmpeg")
        .args(["-v", "warning", "-i"])
        .arg(&path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&decoded.stderr), "");
    let args = ["-v", "error", "-of", "json", "-show_entries", "packet=codec_type,dts_time,flags"];
    let probed = Command::new("ffprobe").args(args).arg(&path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&probed.stderr), "");
    let found: Value = serde_json::from_slice(&probed.stdout).unwrap();
    let packet = |p: &Value| Packet {
        video: p["codec_type"] == "video",
        dts: p["dts_time"].as_str().unwrap().parse().unwrap(),
        key: p["flags"].as_str().unwrap().starts_with('K'),
    };
    found["packets"].as_array().unwrap().iter().map(packet).collect()
}

/// Checks that a track has no hole and no overlap; `step` is the distance of its frames. (The clip's
/// sound is 5 ms longer than its picture, which shows where it is repeated.)
pub fn check_continuous(packets: &[Packet], video: bool, step: f64) {
    let times: Vec<f64> = packets.iter().filter(|p| p.video == video).map(|p| p.dts).collect();
    assert!(times.len() > 10);
    for pair in times.windows(2) {
        assert!((pair[1] - pair[0] - step).abs() < 0.006, "{pair:?}, not {step} apart");
    }
}

/// Fails when `what` takes longer than any of these tests may.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("too slow")
}
