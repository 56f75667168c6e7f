//! Who is watching (manual 5.7), and what a stream consists of.

use serde_json::{Map, Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::time::{MediaTime, TICKS_PER_SECOND};
use crate::base::{Error, Result};
use crate::media::frame::Track;
use crate::media::hub::{Cursor, Event, Start};
use crate::media::params::{VideoCodec, VideoParams};
use crate::media::stream::Stream;

/// `h5swsapi/Status` (manual 5.7.1).
pub async fn ws_status(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({ "nConnectCount": ask.ctx.ws.connect_count() })))
}

/// `h5srtcapi/Status` (manual 5.7.2).
pub async fn rtc_status(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({ "nConnectCount": ask.ctx.rtc.connect_count() })))
}

/// `GetVidStreamStatus` (docs/protocol.md 4): codec, size, and rates measured over the newest GOP.
pub async fn vid_stream_status(ask: Ask) -> Result<Answer> {
    let stream = ask.shown()?;
    let status = status(&stream).ok_or_else(|| {
        Error::refused(format!("parameter token: {} delivers no picture now", stream.token))
    })?;
    Ok(Answer::Json(Value::Object(status)))
}

/// What the running stream consists of; `None` where it does not run.
pub fn status(stream: &Stream) -> Option<Map<String, Value>> {
    let (params, cursor) = stream.hub.cursor(Start::NewestKey)?;
    let rates = Rates::measure(cursor);
    let mut status = video_facts(&params.video);
    status.insert("nVideoFPS".into(), rates.frames_per_second().into());
    status.insert("nVideoBitrate".into(), rates.kbits_per_second(Track::Video).into());
    if let Some(audio) = &params.audio {
        status.insert("strAudioType".into(), "AAC".into());
        status.insert("nAudioSampleRate".into(), audio.rate.into());
        status.insert("nAudioSampleBit".into(), 16.into());
        status.insert("nAudioChannels".into(), audio.channels.into());
        status.insert("nAudioBitrate".into(), rates.kbits_per_second(Track::Audio).into());
    }
    Some(status)
}

/// The codec facts that GetSrc shows: of the running stream, else of its last picture.
pub fn facts(stream: &Stream) -> Option<Map<String, Value>> {
    let params = stream.hub.params().or_else(|| Some(stream.hub.picture()?.params))?;
    Some(video_facts(&params.video))
}

fn video_facts(video: &VideoParams) -> Map<String, Value> {
    let codec = match video.codec {
        VideoCodec::H264 => "H264",
        VideoCodec::H265 => "H265",
    };
    Map::from_iter([
        ("strVideoType".into(), codec.into()),
        ("nVideoWidth".into(), video.width.into()),
        ("nVideoHeight".into(), video.height.into()),
    ])
}

/// What lies in the ring from its newest key frame on.
#[derive(Default)]
struct Rates {
    video_frames: i64,
    video_time: i64,
    bytes: [usize; 2],
    first: Option<MediaTime>,
}

impl Rates {
    fn measure(mut cursor: Cursor) -> Self {
        let mut rates = Self::default();
        while let Some(Event::Frame { frame, .. }) = cursor.poll() {
            match frame.track {
                Track::Video => {
                    let first = *rates.first.get_or_insert(frame.dts);
                    rates.video_frames += 1;
                    rates.video_time = (frame.dts - first + frame.duration).0;
                    rates.bytes[0] += frame.data.len();
                }
                Track::Audio => rates.bytes[1] += frame.data.len(),
            }
        }
        rates
    }

    fn frames_per_second(&self) -> i64 {
        let time = self.video_time.max(1);
        (self.video_frames * TICKS_PER_SECOND + time / 2) / time
    }

    fn kbits_per_second(&self, track: Track) -> i64 {
        let bytes = self.bytes[usize::from(track == Track::Audio)] as i64;
        bytes * 8 * TICKS_PER_SECOND / self.video_time.max(1) / 1000
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::time::MonoTime;
    use crate::media::frame::Frame;
    use crate::media::hub::{DEFAULT_KEEP, Hub};
    use crate::media::params::Params;

    #[test]
    fn rates_come_from_the_newest_gop() {
        let hub = Hub::new(1 << 20, DEFAULT_KEEP);
        hub.begin(Params {
            video: VideoParams {
                codec: VideoCodec::H265,
                vps: vec![],
                sps: vec![],
                pps: vec![],
                config: Bytes::new(),
                width: 1920,
                height: 1080,
                codec_string: String::new(),
                reorder: None,
            },
            audio: None,
        });
        for n in 0..60 {
            hub.push(Frame {
                track: Track::Video,
                dts: MediaTime(n * 3600),
                pts: MediaTime(n * 3600),
                duration: MediaTime(3600),
                key: n % 50 == 0,
                data: Bytes::from(vec![0; 1000]),
                arrived: MonoTime::default(),
            });
        }
        let (params, cursor) = hub.cursor(Start::NewestKey).unwrap();
        let rates = Rates::measure(cursor);
        assert_eq!(rates.frames_per_second(), 25);
        assert_eq!(rates.kbits_per_second(Track::Video), 200);
        assert_eq!(rates.kbits_per_second(Track::Audio), 0);
        assert_eq!(video_facts(&params.video)["strVideoType"], "H265");
    }
}
