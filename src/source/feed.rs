//! From appsink to hub: turns GStreamer samples into frames, finds the parameters, runs the
//! timestamp stage and opens epochs.
//!
//! Called on GStreamer streaming threads, one per track, under one mutex that is held while a frame
//! is copied. Nothing here may panic: that would poison the appsink and kill the camera for good.
//! Before an epoch begins at most [`MAX_HELD`] frames wait for the sound's parameters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gstreamer as gst;

use crate::base::time::{Clock, MediaTime, MonoTime};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::Hub;
use crate::media::params::{AudioParams, Params, VideoParams};
use crate::media::stage::Stage;
use crate::media::{aac, h264, h265, nal};

/// Frames that wait for the sound's parameters; at 60 frames and 50 sound frames a second this is
/// more than [`SOUND_PATIENCE`].
const MAX_HELD: usize = 256;
/// How long the picture waits for sound that was announced.
const SOUND_PATIENCE: Duration = Duration::from_secs(1);
/// Sound that stays away this long is given up: a browser that was promised sound stands still
/// without it.
const SOUND_GONE: Duration = Duration::from_secs(4);

/// Largest access unit that is accepted. A 4K key frame at the highest quality is about 4 MB.
const MAX_UNIT: usize = 16 << 20;

/// Destination of one connection's samples.
#[derive(Debug)]
pub struct Feed {
    hub: Arc<Hub>,
    clock: Clock,
    inner: Mutex<Inner>,
    /// Video frames published so far; the watchdog compares.
    frames: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    video: Option<Video>,
    sound: Sound,
    /// Set while an epoch runs.
    stage: Option<Stage>,
    held: Vec<(Track, RawFrame)>,
    first_video: Option<MonoTime>,
    closed: bool,
}

#[derive(Debug)]
struct Video {
    caps: gst::Caps,
    params: VideoParams,
}

#[derive(Debug, PartialEq)]
enum Sound {
    /// Not asked for, or the stream has none that can be carried.
    None,
    /// Announced, parameters not seen yet.
    Expected,
    Known(AudioParams),
}

#[derive(Debug)]
struct RawFrame {
    pts: Option<MediaTime>,
    dts: Option<MediaTime>,
    key: bool,
    data: Bytes,
    arrived: MonoTime,
}

impl Feed {
    pub fn new(hub: Arc<Hub>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            hub,
            clock,
            inner: Mutex::new(Inner {
                video: None,
                sound: Sound::None,
                stage: None,
                held: Vec::new(),
                first_video: None,
                closed: false,
            }),
            frames: AtomicU64::new(0),
        })
    }

    /// Video frames published so far.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// The picture's parameters, as soon as the stream tells them.
    pub fn picture(&self) -> Option<VideoParams> {
        self.with(|inner| inner.video.as_ref().map(|video| video.params.clone()))
    }

    /// Nothing reaches the hub from now on: a pipeline that is slow to stop must not meet the one after it.
    pub fn close(&self) {
        self.with(|inner| inner.closed = true);
    }

    /// Sound will follow: the picture waits a moment for it.
    pub fn expect_sound(&self) {
        self.with(|inner| {
            if inner.sound == Sound::None {
                inner.sound = Sound::Expected;
            }
        });
    }

    /// There will be no sound after all.
    pub fn no_sound(&self) {
        self.with(|inner| {
            if inner.sound == Sound::Expected {
                inner.sound = Sound::None;
            }
        });
    }

    /// One sample of the given track.
    ///
    /// # Errors
    /// `BadInput` or `Unsupported` for parameters that cannot be used; the connection should be
    /// given up. A single unusable frame is left out without an error.
    pub fn sample(&self, track: Track, sample: &gst::Sample) -> Result<()> {
        let Some(buffer) = sample.buffer() else { return Ok(()) };
        if buffer.size() > MAX_UNIT {
            return Err(Error::bad_input(format!("access unit of {} bytes", buffer.size())));
        }
        let caps = sample.caps();
        self.with(|inner| match track {
            _ if inner.closed => Ok(()),
            Track::Video => {
                let caps = caps.ok_or_else(|| Error::internal("video without caps"))?;
                self.video(inner, buffer, caps)
            }
            Track::Audio => self.audio(inner, buffer, caps),
        })
    }

    fn video(&self, inner: &mut Inner, buffer: &gst::BufferRef, caps: &gst::CapsRef) -> Result<()> {
        if inner.video.as_ref().is_none_or(|video| *video.caps != *caps) {
            let params = video_params(caps)?;
            if inner.video.as_ref().is_some_and(|old| old.params != params) {
                // A new epoch begins with the next key frame, which is this one.
                inner.stage = None;
                inner.held.clear();
                inner.first_video = None;
            }
            inner.video = Some(Video { caps: caps.to_owned(), params });
        }
        let Some(video) = &inner.video else { return Ok(()) };
        let mut raw = self.raw(buffer)?;
        raw.data = nal::without_parameter_sets(video.params.codec, raw.data);
        raw.key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if raw.data.is_empty() {
            return Ok(());
        }
        let now = raw.arrived;
        if inner.stage.is_none() && inner.first_video.is_none() {
            if !raw.key {
                return Ok(());
            }
            inner.first_video = Some(now);
        }
        if let Some(stage) = &inner.stage
            && matches!(inner.sound, Sound::Known(_))
            && stage.quiet(Track::Audio, now).is_none_or(|quiet| quiet > SOUND_GONE)
            && stage.age(now) > SOUND_GONE
            && raw.key
        {
            tracing::warn!("sound stopped; going on without it");
            inner.sound = Sound::None;
            inner.stage = None;
        }
        self.frame(inner, Track::Video, raw)
    }

    fn audio(&self, inner: &mut Inner, buffer: &gst::BufferRef, caps: Option<&gst::CapsRef>) -> Result<()> {
        match &inner.sound {
            Sound::None => return Ok(()),
            Sound::Known(_) => {}
            Sound::Expected => match caps.map(audio_params) {
                Some(Ok(params)) => inner.sound = Sound::Known(params),
                Some(Err(error)) => {
                    tracing::warn!(%error, "sound left out");
                    inner.sound = Sound::None;
                    return Ok(());
                }
                None => return Ok(()),
            },
        }
        let raw = self.raw(buffer)?;
        self.frame(inner, Track::Audio, raw)
    }

    /// Publishes a frame, or holds it until the epoch can begin.
    fn frame(&self, inner: &mut Inner, track: Track, raw: RawFrame) -> Result<()> {
        if inner.stage.is_some() {
            self.publish(inner, track, raw);
            return Ok(());
        }
        let Some(since) = inner.first_video else { return Ok(()) };
        let waited = raw.arrived.since(since);
        inner.held.push((track, raw));
        let ready = match inner.sound {
            Sound::None | Sound::Known(_) => true,
            Sound::Expected => waited > SOUND_PATIENCE || inner.held.len() >= MAX_HELD,
        };
        if ready {
            self.begin(inner);
        }
        Ok(())
    }

    fn begin(&self, inner: &mut Inner) {
        let Some(video) = &inner.video else { return };
        let audio = match &inner.sound {
            Sound::Known(params) => Some(params.clone()),
            Sound::Expected => {
                tracing::warn!("sound did not come; going on without it");
                inner.sound = Sound::None;
                None
            }
            Sound::None => None,
        };
        let interval = audio.as_ref().map_or(MediaTime(1920), aac_interval);
        inner.stage = Some(Stage::new(video.params.reorder, interval));
        inner.first_video = None;
        self.hub.begin(Params { video: video.params.clone(), audio });
        for (track, raw) in std::mem::take(&mut inner.held) {
            self.publish(inner, track, raw);
        }
    }

    fn publish(&self, inner: &mut Inner, track: Track, raw: RawFrame) {
        let Some(stage) = &mut inner.stage else { return };
        let stamp = match track {
            Track::Video => stage.video(raw.pts, raw.dts, raw.arrived),
            Track::Audio => match stage.audio(raw.pts, raw.arrived) {
                Some(stamp) => stamp,
                None => return,
            },
        };
        self.hub.push(Frame {
            track,
            dts: stamp.dts,
            pts: stamp.pts,
            duration: stamp.duration,
            key: raw.key,
            data: raw.data,
            arrived: raw.arrived,
        });
        if track == Track::Video {
            self.frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn raw(&self, buffer: &gst::BufferRef) -> Result<RawFrame> {
        let map = buffer.map_readable().map_err(|_| Error::internal("buffer cannot be read"))?;
        let time = |t: Option<gst::ClockTime>| {
            t.map(|t| MediaTime::from_nanos(i64::try_from(t.nseconds()).unwrap_or(i64::MAX)))
        };
        Ok(RawFrame {
            pts: time(buffer.pts()),
            dts: time(buffer.dts()),
            key: true,
            data: Bytes::copy_from_slice(&map),
            arrived: self.clock.mono(),
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn aac_interval(params: &AudioParams) -> MediaTime {
    MediaTime(1024 * 90_000 / i64::from(params.rate.max(1)))
}

fn codec_data(caps: &gst::CapsRef) -> Result<(&gst::StructureRef, Bytes)> {
    let structure = caps.structure(0).ok_or_else(|| Error::bad_input("empty caps"))?;
    let buffer = structure
        .get::<gst::Buffer>("codec_data")
        .map_err(|_| Error::bad_input(format!("{} without codec data", structure.name())))?;
    let map = buffer.map_readable().map_err(|_| Error::internal("codec data cannot be read"))?;
    Ok((structure, Bytes::copy_from_slice(&map)))
}

fn video_params(caps: &gst::CapsRef) -> Result<VideoParams> {
    let (structure, config) = codec_data(caps)?;
    match structure.name().as_str() {
        "video/x-h264" => h264::from_avcc(&config),
        "video/x-h265" => h265::from_hvcc(&config),
        other => Err(Error::unsupported(format!("video codec {other}"))),
    }
}

fn audio_params(caps: &gst::CapsRef) -> Result<AudioParams> {
    aac::from_config(&codec_data(caps)?.1)
}
