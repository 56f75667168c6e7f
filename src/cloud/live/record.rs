//! One record of a stream between an edge and its central: live, or of a recording that is played.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::base::time::{MediaTime, MonoTime};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::params::{AudioParams, Params, VideoCodec, VideoParams};
use crate::media::{aac, h264, h265};

/// Largest record. A 4K key frame at the highest quality is about 4 MB.
pub const MAX: usize = 16 << 20;
/// Longest text.
const MAX_TEXT: usize = 4 << 10;
/// Of a frame before its data: flags, decoding time, presentation after it, duration.
const FRAME_HEAD: usize = 1 + 8 + 4 + 4;

const PARAMS: u8 = 1;
const VIDEO: u8 = 2;
const AUDIO: u8 = 3;
const ENDED: u8 = 4;
const LEVEL: u8 = 5;
const TEXT: u8 = 6;

/// What is sent of a source.
#[derive(Clone, Debug)]
pub enum Record {
    /// An epoch begins.
    Params(Params),
    Frame(Frame),
    /// The source is not delivering, and why. An epoch may begin again.
    Ended(String),
    Level(Level),
    /// Of a recording: what its viewer is told, and the other way round what it orders.
    Text(String),
}

/// What is sent of a source whose up-link is thin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it was asked for.
    #[default]
    Full,
    /// The small picture of the same lens.
    Small,
    /// Key frames, without sound.
    Keys,
}

impl Level {
    const ALL: [Self; 3] = [Self::Full, Self::Small, Self::Keys];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Small => "small",
            Self::Keys => "keys",
        }
    }
}

/// The bytes of a record before those of a frame's data, which follow unchanged.
pub fn head(record: &Record) -> Bytes {
    let mut body = BytesMut::new();
    let mut data = 0;
    match record {
        Record::Params(params) => {
            body.put_u8(PARAMS);
            body.put_u8(match params.video.codec {
                VideoCodec::H264 => 4,
                VideoCodec::H265 => 5,
            });
            body.put_u32(params.video.config.len() as u32);
            body.put_slice(&params.video.config);
            body.put_slice(params.audio.as_ref().map_or(&[], |audio| &audio.config));
        }
        Record::Frame(frame) => {
            body.put_u8(if frame.track == Track::Video { VIDEO } else { AUDIO });
            body.put_u8(u8::from(frame.key));
            body.put_i64(frame.dts.0);
            body.put_u32(u32::try_from((frame.pts - frame.dts).0).unwrap_or_default());
            body.put_u32(u32::try_from(frame.duration.0).unwrap_or(1));
            data = frame.data.len();
        }
        Record::Ended(text) => {
            body.put_u8(ENDED);
            body.put_slice(text.as_bytes());
        }
        Record::Level(level) => {
            body.put_u8(LEVEL);
            body.put_u8(*level as u8);
        }
        Record::Text(text) => {
            body.put_u8(TEXT);
            body.put_slice(text.as_bytes());
        }
    }
    let mut whole = BytesMut::with_capacity(4 + body.len());
    whole.put_u32((body.len() + data) as u32);
    whole.put_slice(&body);
    whole.freeze()
}

/// Writes a record with its data.
///
/// # Errors
/// `Timeout` when the stream broke off.
pub async fn write(to: &mut (impl AsyncWrite + Unpin), record: &Record) -> Result<()> {
    let broken = |error: std::io::Error| Error::timeout(format!("the stream broke off: {error}"));
    to.write_all(&head(record)).await.map_err(broken)?;
    if let Record::Frame(frame) = record {
        to.write_all(&frame.data).await.map_err(broken)?;
    }
    to.flush().await.map_err(broken)
}

/// The next record; `None` at the end. `now` is given to frames as their time of arrival.
///
/// # Errors
/// `Timeout` when the stream breaks off, `BadInput` for what is no record.
pub async fn read(from: &mut (impl AsyncRead + Unpin), now: impl Fn() -> MonoTime) -> Result<Option<Record>> {
    let broken = |error: std::io::Error| Error::timeout(format!("the stream broke off: {error}"));
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(broken(error)),
    }
    let length = u32::from_be_bytes(length) as usize;
    if length == 0 || length > MAX {
        return Err(Error::bad_input(format!("a record of {length} bytes")));
    }
    // Grows with what really comes, whatever the length says.
    let mut body = Vec::with_capacity(length.min(64 << 10));
    let got = from.take(length as u64).read_to_end(&mut body).await.map_err(broken)?;
    if got < length {
        return Err(Error::timeout("the stream broke off inside a record"));
    }
    parse(body.into(), now()).map(Some)
}

/// The record in `body`.
///
/// # Errors
/// `BadInput` or `Unsupported`, saying what it is.
pub fn parse(mut body: Bytes, now: MonoTime) -> Result<Record> {
    let short = || Error::bad_input("a record that is cut off");
    if body.is_empty() {
        return Err(short());
    }
    match body.get_u8() {
        PARAMS => params(body).map(Record::Params),
        kind @ (VIDEO | AUDIO) => {
            if body.len() <= FRAME_HEAD {
                return Err(short());
            }
            let key = body.get_u8() & 1 == 1;
            let dts = MediaTime(body.get_i64());
            let later = MediaTime(i64::from(body.get_u32()));
            let duration = MediaTime(i64::from(body.get_u32().max(1)));
            let track = if kind == VIDEO { Track::Video } else { Track::Audio };
            // Far from where sums would overflow, and what a viewer's fragment can say: 3000 years and 6 hours.
            let fits = dts.0.unsigned_abs() <= 1 << 53 && later.0 < 1 << 31 && duration.0 < 1 << 31;
            if !fits {
                return Err(Error::bad_input("a frame of an impossible time"));
            }
            Ok(Record::Frame(Frame { track, dts, pts: dts + later, duration, key, data: body, arrived: now }))
        }
        ENDED => Ok(Record::Ended(String::from_utf8_lossy(&body).chars().take(512).collect())),
        LEVEL => {
            let level = body.first().and_then(|&number| Level::ALL.get(usize::from(number)));
            level.copied().map(Record::Level).ok_or_else(|| Error::bad_input("an unknown level"))
        }
        TEXT if body.len() <= MAX_TEXT => Ok(Record::Text(String::from_utf8_lossy(&body).into_owned())),
        TEXT => Err(Error::bad_input("a text that is too long")),
        other => Err(Error::bad_input(format!("a record of the unknown kind {other}"))),
    }
}

fn params(mut body: Bytes) -> Result<Params> {
    let short = || Error::bad_input("parameters that are cut off");
    if body.len() < 5 {
        return Err(short());
    }
    let codec = body.get_u8();
    let length = body.get_u32() as usize;
    if length > body.len() {
        return Err(short());
    }
    let config = body.split_to(length);
    let video: VideoParams = match codec {
        4 => h264::from_avcc(&config)?,
        5 => h265::from_hvcc(&config)?,
        other => return Err(Error::unsupported(format!("video codec {other}"))),
    };
    let audio: Option<AudioParams> = match body.is_empty() {
        true => None,
        false => Some(aac::from_config(&body)?),
    };
    Ok(Params { video, audio })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(data: &'static [u8]) -> Frame {
        Frame {
            track: Track::Video,
            dts: MediaTime(90_000),
            pts: MediaTime(93_600),
            duration: MediaTime(3600),
            key: true,
            data: Bytes::from_static(data),
            arrived: MonoTime::default(),
        }
    }

    #[tokio::test]
    async fn frames_come_as_they_went() {
        let sent = frame(b"\0\0\0\x01\x65");
        let mut bytes = head(&Record::Frame(sent.clone())).to_vec();
        bytes.extend_from_slice(&sent.data);
        bytes.extend_from_slice(&head(&Record::Level(Level::Keys)));
        bytes.extend_from_slice(&head(&Record::Ended("no route".into())));
        write(&mut bytes, &Record::Text("{}".into())).await.unwrap();
        let mut from = &bytes[..];
        let Some(Record::Frame(got)) = read(&mut from, MonoTime::default).await.unwrap() else { panic!() };
        assert_eq!((got.dts, got.pts, got.key, got.data), (sent.dts, sent.pts, true, sent.data));
        let level = read(&mut from, MonoTime::default).await.unwrap();
        assert!(matches!(level, Some(Record::Level(Level::Keys))));
        let ended = read(&mut from, MonoTime::default).await.unwrap();
        assert!(matches!(ended, Some(Record::Ended(text)) if text == "no route"));
        let text = read(&mut from, MonoTime::default).await.unwrap();
        assert!(matches!(text, Some(Record::Text(text)) if text == "{}"));
        assert!(read(&mut from, MonoTime::default).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_no_record_is_told() {
        let mut none = &[0, 0, 0, 0][..];
        assert!(read(&mut none, MonoTime::default).await.unwrap_err().to_string().contains("0 bytes"));
        let mut huge = &[255, 255, 255, 255, 1][..];
        assert!(read(&mut huge, MonoTime::default).await.is_err());
        let mut cut = &[0, 0, 1, 0, 2, 1][..];
        assert!(read(&mut cut, MonoTime::default).await.unwrap_err().to_string().contains("inside"));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_panics(bytes: Vec<u8>) {
            let _ = parse(bytes.into(), MonoTime::default());
        }
    }
}
