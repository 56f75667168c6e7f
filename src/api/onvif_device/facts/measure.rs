//! What a stream consists of, counted from its frames.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::time::{MediaTime, TICKS_PER_SECOND};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::{Cursor, Event, Start};
use crate::media::params::{VideoCodec, VideoParams};
use crate::media::stream::Stream;
use crate::onvif::device::{Codec, CodecProfile, Picture, Video};

/// How long a stream may take to come up, and then its first group of pictures.
const PATIENCE: Duration = Duration::from_secs(15);
/// Shortest time that rates are counted over: frames of a live stream do not come evenly.
const SPAN: MediaTime = MediaTime(3 * TICKS_PER_SECOND);

/// Counts whole groups of pictures over [`SPAN`].
pub async fn measure(stream: &Arc<Stream>) -> Result<Picture> {
    let viewing = stream.view();
    let (params, mut cursor) = viewing.cursor(Start::NewestKey, PATIENCE).await?;
    let mut count = Count::default();
    // Groups that are longer are counted as far as they came.
    let whole = timeout(PATIENCE, count.groups(&mut cursor)).await;
    if let Ok(Err(error)) = whole {
        return Err(error);
    }
    Ok(count.picture(&params.video))
}

/// What a stream that runs consists of, as far as its newest group of pictures tells by now.
pub fn glance(stream: &Stream) -> Video {
    let (params, mut cursor) = stream.hub.cursor(Start::NewestKey)?;
    let mut count = Count::default();
    while let Some(Event::Frame { frame, .. }) = cursor.poll() {
        count.add(&frame);
    }
    Some(count.picture(&params.video))
}

/// Video frames from one key frame up to another.
#[derive(Debug, Default)]
struct Count {
    frames: u32,
    /// Key frames among them.
    keys: u32,
    bytes: usize,
    first: MediaTime,
    time: MediaTime,
}

impl Count {
    async fn groups(&mut self, cursor: &mut Cursor) -> Result<()> {
        loop {
            match cursor.next().await {
                Event::Frame { frame, .. } if self.add(&frame) => return Ok(()),
                Event::Frame { .. } => {}
                Event::Skipped => *self = Self::default(),
                Event::Ended => return Err(Error::timeout("the stream ended")),
            }
        }
    }

    /// Counts a frame; true at the key frame with which the count is whole.
    fn add(&mut self, frame: &Frame) -> bool {
        if frame.track != Track::Video {
            return false;
        }
        if self.frames == 0 {
            self.first = frame.dts;
        }
        if frame.key && frame.dts - self.first >= SPAN {
            self.time = frame.dts - self.first;
            return true;
        }
        self.frames += 1;
        self.keys += u32::from(frame.key);
        self.bytes += frame.data.len();
        self.time = frame.dts - self.first + frame.duration;
        false
    }

    fn picture(&self, video: &VideoParams) -> Picture {
        Picture {
            codec: codec(video),
            width: video.width,
            height: video.height,
            fps: self.fps(),
            kbps: self.kbps(),
            gop: (self.frames / self.keys.max(1)).max(1),
            profile: profile(video),
        }
    }

    fn fps(&self) -> u32 {
        let time = self.time.0.max(1);
        whole((i64::from(self.frames) * TICKS_PER_SECOND + time / 2) / time)
    }

    fn kbps(&self) -> u32 {
        let bits = i64::try_from(self.bytes).unwrap_or(i64::MAX / TICKS_PER_SECOND / 8) * 8;
        whole(bits * TICKS_PER_SECOND / self.time.0.max(1) / 1000)
    }
}

/// At least 1: zero means something else to recorders.
fn whole(number: i64) -> u32 {
    u32::try_from(number.max(1)).unwrap_or(u32::MAX)
}

fn codec(video: &VideoParams) -> Codec {
    match video.codec {
        VideoCodec::H264 => Codec::H264,
        VideoCodec::H265 => Codec::H265,
    }
}

/// From the codec string (RFC 6381): `avc1.64…` or `hvc1.1.…`.
fn profile(video: &VideoParams) -> CodecProfile {
    let second = video.codec_string.split('.').nth(1).unwrap_or_default();
    match (video.codec, second.get(..2).unwrap_or(second)) {
        (VideoCodec::H264, "42") => CodecProfile::Baseline,
        (VideoCodec::H264, "4D") => CodecProfile::Main,
        (VideoCodec::H264, "58") => CodecProfile::Extended,
        (VideoCodec::H264, _) => CodecProfile::High,
        (VideoCodec::H265, "2") => CodecProfile::Main10,
        (VideoCodec::H265, _) => CodecProfile::Main,
    }
}

/// Whether this is the picture that is known, rates apart.
pub fn is_still(video: &VideoParams, known: &Picture) -> bool {
    (codec(video), video.width, video.height, profile(video))
        == (known.codec, known.width, known.height, known.profile)
}
