//! A WebSocket viewer as a client page is one: it opens `h5swsapi`, sends keepalives, keeps every
//! message with its time, and [`check`] holds the lot against the rules that decide whether a page
//! plays.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use h5edge::cloud::edge::Io;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};

use super::{
    boxes::{self, Run, Track},
    stamp,
};

/// The most media a viewer may be given ahead of the present, in seconds.
const MAX_BACKLOG: f64 = 5.0;

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    /// The wall clock, to compare with a stamp; microseconds since 1970.
    pub wall_us: u64,
    pub message: Message,
}

/// An open viewer.
pub struct Viewer {
    pub opened: Instant,
    pub received: Vec<Received>,
    /// The server has closed, or the connection broke.
    pub closed: bool,
    /// Code and reason of the server's close frame.
    pub farewell: Option<(u16, String)>,
    socket: WebSocketStream<Box<dyn Io>>,
}

impl Viewer {
    /// Opens `ws://127.0.0.1:PORT<target>`; an HTTP answer instead of a socket is the error.
    pub async fn open(port: u16, target: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        Self::over(Box::new(stream), &format!("ws://127.0.0.1:{port}{target}")).await
    }

    /// As [`Viewer::open`], with a receive buffer so small that a pause in reading is felt at once.
    pub async fn open_narrow(port: u16, target: &str) -> Result<Self, Error> {
        let tcp = TcpSocket::new_v4()?;
        tcp.set_recv_buffer_size(128 << 10)?;
        let stream = tcp.connect(([127, 0, 0, 1], port).into()).await?;
        Self::over(Box::new(stream), &format!("ws://127.0.0.1:{port}{target}")).await
    }

    /// Opens `url` on a connection that is there already.
    pub async fn over(stream: Box<dyn Io>, url: &str) -> Result<Self, Error> {
        let (socket, _) = client_async(url, stream).await?;
        Ok(Self { opened: Instant::now(), received: Vec::new(), closed: false, farewell: None, socket })
    }

    /// The newest generation's live address for `token`.
    pub async fn watch(port: u16, token: &str, session: &str) -> Result<Self, Error> {
        let target = format!("/api/v1/h5swsapi?token={token}&hevc=false&profile=main&session={session}");
        Self::open(port, &target).await
    }

    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("an open socket");
    }

    /// Waits for the next message, keepalives going out each second. `None`: closed, or nothing came
    /// for `patience`.
    pub async fn next(&mut self, patience: Duration) -> Option<&Received> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && !self.closed {
            let slice = Duration::from_secs(1).min(deadline.saturating_duration_since(Instant::now()));
            match tokio::time::timeout(slice, self.socket.next()).await {
                Err(_) => {
                    self.closed |=
                        self.socket.send(Message::text(r#"{"cmd":"H5_KEEPALIVE"}"#)).await.is_err();
                }
                Ok(Some(Ok(message))) if !message.is_close() => {
                    self.received.push(Received { at: Instant::now(), wall_us: stamp::now_us(), message });
                    return self.received.last();
                }
                Ok(last) => {
                    self.closed = true;
                    if let Some(Ok(Message::Close(Some(frame)))) = last {
                        self.farewell = Some((frame.code.into(), frame.reason.as_str().to_owned()));
                    }
                }
            }
        }
        None
    }

    /// Collects until `span` after the opening has passed or the socket is closed.
    pub async fn watch_for(&mut self, span: Duration) {
        let end = self.opened + span;
        while !self.closed && Instant::now() < end {
            self.next(end.saturating_duration_since(Instant::now())).await;
        }
    }

    /// Collects until the server closes; panics after `patience`.
    pub async fn until_closed(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while !self.closed {
            assert!(Instant::now() < deadline, "still open after {patience:?}");
            self.next(deadline.saturating_duration_since(Instant::now())).await;
        }
    }

    /// Leaves as a browser does, with a close frame.
    pub async fn leave(mut self) {
        let _ = self.socket.close(None).await;
    }

    /// [`check`] of all that came.
    pub fn check(&self) -> Watched {
        check(self.opened, &self.received)
    }

    /// The same without rule 6, for a viewer that did not always read.
    pub fn check_but_pace(&self) -> Watched {
        read(self.opened, &self.received)
    }
}

/// One fragment's part for one track, with the time of the message that completed it.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub at: Instant,
    pub run: Run,
}

/// What a viewer saw, once [`check`] has found nothing wrong.
#[derive(Clone, Debug)]
pub struct Watched {
    pub mime: String,
    pub tracks: Vec<Track>,
    pub runs: Vec<Arrived>,
    /// From the opening to the first fragment.
    pub first_media: Duration,
    /// Delay from the camera's stamp to here, per stamped message, in microseconds.
    pub delays_us: Vec<u64>,
}

impl Watched {
    pub fn video(&self) -> Track {
        *self.tracks.iter().find(|track| track.video).expect("a video track")
    }

    /// The runs of one track.
    pub fn of(&self, track: Track) -> impl Iterator<Item = &Arrived> {
        self.runs.iter().filter(move |arrived| arrived.run.track == track.id)
    }

    /// Video access units that came.
    pub fn frames(&self) -> usize {
        self.of(self.video()).map(|arrived| arrived.run.samples.len()).sum()
    }

    /// Media time at the end of the video, in seconds.
    pub fn media_seconds(&self) -> f64 {
        let video = self.video();
        self.of(video).last().map_or(0.0, |last| last.run.end() as f64 / f64::from(video.timescale))
    }
}

/// Panics unless the messages are what every client generation needs:
/// 1. the first is binary and is the MIME string and nothing else;
/// 2. then `ftyp` and `moov`, then `moof` and `mdat` pairs, cut anyhow;
/// 3. media time starts at 0 for the picture, and below half a second for the sound;
/// 4. the picture starts with a key frame, and is never more than 5 s ahead of the present;
/// 5. there is no gap and no overlap in any track;
/// 6. media time keeps pace with the wall clock (to a quarter of a second and 2 %).
pub fn check(opened: Instant, received: &[Received]) -> Watched {
    let watched = read(opened, received);
    check_pace(&watched);
    watched
}

/// Rules 1 to 5.
fn read(opened: Instant, received: &[Received]) -> Watched {
    let mut binary = received.iter().filter(|r| !r.message.is_ping() && !r.message.is_pong());
    let first = binary.next().expect("a first message");
    assert!(first.message.is_binary(), "rule 1: the first message is {:?}", first.message);
    let mime = String::from_utf8(first.message.clone().into_data().to_vec()).expect("rule 1: text");
    assert!(
        mime.starts_with("video/mp4; codecs=\"") && mime.ends_with('"') && mime.is_ascii(),
        "rule 1: {mime:?}"
    );
    let mut reader = Reader::default();
    let mut delays_us = Vec::new();
    for message in binary.filter(|r| r.message.is_binary()) {
        let data = message.message.clone().into_data();
        delays_us.extend(stamp::find_stamp(&data).map(|stamp| message.wall_us.saturating_sub(stamp)));
        reader.take(&data, message.at);
    }
    let Reader { tracks, runs, .. } = reader;
    let first_media = runs.first().expect("rule 2: a fragment").at - opened;
    let watched = Watched { mime, tracks, runs, first_media, delays_us };
    for track in &watched.tracks {
        check_timeline(&watched, *track);
    }
    watched
}

/// Puts the boxes of a sliced stream together again.
#[derive(Default)]
struct Reader {
    pending: Vec<u8>,
    kinds: Vec<[u8; 4]>,
    tracks: Vec<Track>,
    runs: Vec<Arrived>,
    /// Media bytes that the last `moof` announced.
    announced: usize,
}

impl Reader {
    fn take(&mut self, bytes: &[u8], at: Instant) {
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while let Some((next, after)) = boxes::first_box(rest) {
            self.take_box(next, at);
            rest = after;
        }
        self.pending = rest.to_vec();
    }

    fn take_box(&mut self, next: boxes::Box<'_>, at: Instant) {
        let name = next.kind.escape_ascii().to_string();
        match (self.kinds.len(), &next.kind, self.kinds.last()) {
            (0, b"ftyp", _) => {}
            (1, b"moov", _) => {
                self.tracks = boxes::tracks(next.body);
                assert!(!self.tracks.is_empty(), "rule 2: no tracks");
            }
            (2.., b"moof", Some(b"moov" | b"mdat")) => {
                let runs = boxes::runs(next.body);
                let sizes = runs.iter().flat_map(|run| &run.samples).map(|sample| sample.size as usize);
                self.announced = sizes.sum();
                self.runs.extend(runs.into_iter().map(|run| Arrived { at, run }));
            }
            (2.., b"mdat", Some(b"moof")) => assert_eq!(next.body.len(), self.announced, "rule 2: mdat"),
            (place, _, before) => panic!("rule 2: {name} at place {place} after {before:?}"),
        }
        self.kinds.push(next.kind);
    }
}

fn check_timeline(watched: &Watched, track: Track) {
    let seconds = |ticks: u64| ticks as f64 / f64::from(track.timescale);
    let mut runs = watched.of(track);
    let Some(first) = runs.next() else {
        assert!(!track.video, "rule 2: no picture");
        return;
    };
    if track.video {
        assert_eq!(first.run.decode_time, 0, "rule 3: the picture's first decode time");
        assert!(first.run.samples.first().is_some_and(|sample| sample.key), "rule 4: no key frame first");
    } else {
        assert!(seconds(first.run.decode_time) < 0.5, "rule 3: the sound's first decode time");
    }
    let mut end = first.run.end();
    for next in runs {
        assert_eq!(next.run.decode_time, end, "rule 5: track {} goes on at another time", track.id);
        end = next.run.end();
        let ahead = seconds(end) - (next.at - first.at).as_secs_f64();
        assert!(ahead <= MAX_BACKLOG, "rule 4: {ahead:.2} s ahead of the present");
    }
}

/// From the first fragment that came live, about a second in, to the last one.
fn check_pace(watched: &Watched) {
    let video = watched.video();
    let settled = |arrived: &&Arrived| arrived.at > watched.runs[0].at + Duration::from_secs(1);
    let mut live = watched.of(video).filter(settled);
    let (Some(first), Some(last)) = (live.next(), live.last()) else { return };
    let media = (last.run.end() - first.run.end()) as f64 / f64::from(video.timescale);
    let wall = (last.at - first.at).as_secs_f64();
    let off = (media - wall).abs();
    assert!(off < 0.25 + wall * 0.02, "rule 6: {media:.2} s of media in {wall:.2} s");
}
