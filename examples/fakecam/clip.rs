//! The clip a camera shows for ever: encoded once by GStreamer, kept in memory as access units, and
//! cached in the temporary directory so that the next start with the same parameters costs nothing.
//!
//! Memory: one clip is bit rate × length (2 MB for 4 Mbit/s and 4 s), shared by all cameras.

use std::{fs, path::PathBuf, sync::Arc};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use h5edge::base::{Error, Result};
use serde_json::{Value, json};

use crate::picture::{Painter, Size};

/// Raised whenever the same parameters would give another clip.
const CACHE_VERSION: u32 = 2;

/// How long the encoder may take for one frame before it counts as broken; looking ahead on a busy
/// machine takes seconds.
const ENCODER_PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// What compresses the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum VideoCodec {
    H264,
    H265,
}

/// What compresses the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AudioCodec {
    /// AAC-LC, 48 kHz stereo.
    Aac,
    /// G.711 A-law, 8 kHz mono.
    Pcma,
    /// G.711 µ-law, 8 kHz mono.
    Pcmu,
}

/// Everything that decides what the picture's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSpec {
    pub codec: VideoCodec,
    pub size: Size,
    /// Frames per second.
    pub fps: usize,
    /// Frames from key frame to key frame.
    pub gop: usize,
    /// kbit/s.
    pub bitrate: usize,
    /// B-frames between two other frames.
    pub bframes: usize,
    /// Length; rounded up to whole GOPs.
    pub seconds: usize,
}

/// One access unit (Annex B) or one audio packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub data: Vec<u8>,
    pub key: bool,
    /// Presentation after decoding, in frames; 0 without B-frames.
    pub shift: u64,
}

/// A loop of units in decoding order, evenly spaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// GStreamer caps of the units.
    pub caps: String,
    /// Spacing of the units: `ticks` of a clock that runs at `rate` Hz.
    pub ticks: u64,
    pub rate: u64,
    pub units: Vec<Unit>,
}

impl Clip {
    /// Media time of unit number `index`, counted over all rounds of the loop: exact, no drift.
    pub fn time(&self, index: u64) -> gst::ClockTime {
        let nanos = u128::from(index) * u128::from(self.ticks) * 1_000_000_000 / u128::from(self.rate);
        gst::ClockTime::from_nseconds(nanos as u64)
    }

    /// The picture for `spec`, from the cache or freshly encoded.
    pub fn video(spec: &VideoSpec) -> Result<Arc<Self>> {
        let VideoSpec { codec, size, fps, gop, bitrate, bframes, seconds } = *spec;
        let key = format!("{codec:?}-{size}-{fps}fps-gop{gop}-{bitrate}k-b{bframes}-{seconds}s");
        cached(&key, || encode_video(spec))
    }

    /// `seconds` of a beep each second.
    pub fn audio(codec: AudioCodec, seconds: usize) -> Result<Arc<Self>> {
        cached(&format!("{codec:?}-{seconds}s"), || encode_audio(codec, seconds))
    }

    /// One line of JSON with the layout, then all the units' bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let units: Vec<Value> = self.units.iter().map(|u| json!([u.data.len(), u.key, u.shift])).collect();
        let head = json!({"caps": self.caps, "ticks": self.ticks, "rate": self.rate, "units": units});
        let mut bytes = format!("{head}\n").into_bytes();
        self.units.iter().for_each(|unit| bytes.extend_from_slice(&unit.data));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(bytes.iter().position(|&byte| byte == b'\n')? + 1)?;
        let head: Value = serde_json::from_slice(head).ok()?;
        let mut units = Vec::new();
        for entry in head["units"].as_array()? {
            let (data, after) = rest.split_at_checked(entry[0].as_u64()? as usize)?;
            units.push(Unit { data: data.to_vec(), key: entry[1].as_bool()?, shift: entry[2].as_u64()? });
            rest = after;
        }
        let caps = head["caps"].as_str()?.to_owned();
        (rest.is_empty() && !units.is_empty()).then_some(Self {
            caps,
            ticks: head["ticks"].as_u64()?,
            rate: head["rate"].as_u64()?,
            units,
        })
    }
}

/// The cache file for `key`, or `make`'s result, which is then kept. Written under another name and
/// renamed, so that several simulators starting at once never read half a file.
fn cached(key: &str, make: impl FnOnce() -> Result<Clip>) -> Result<Arc<Clip>> {
    let dir = std::env::temp_dir().join(format!("h5edge-fakecam-{CACHE_VERSION}"));
    let file: PathBuf = dir.join(key.to_lowercase());
    if let Some(clip) = fs::read(&file).ok().and_then(|bytes| Clip::from_bytes(&bytes)) {
        return Ok(Arc::new(clip));
    }
    let clip = make()?;
    let part = dir.join(format!("{}.{}", key.to_lowercase(), std::process::id()));
    fs::create_dir_all(&dir)?;
    fs::write(&part, clip.to_bytes())?;
    fs::rename(&part, &file)?;
    Ok(Arc::new(clip))
}

fn encode_video(spec: &VideoSpec) -> Result<Clip> {
    let VideoSpec { codec, fps, gop, bitrate, bframes, .. } = *spec;
    let frames = (spec.seconds * fps).div_ceil(gop) * gop;
    let (encoder, caps) = match codec {
        VideoCodec::H264 => (
            format!(
                "x264enc speed-preset=superfast bitrate={bitrate} vbv-buf-capacity=1000 rc-lookahead=10 \
                 key-int-max={gop} bframes={bframes} b-adapt=false aud=true sliced-threads=false \
                 option-string=scenecut=0:min-keyint={gop}:open-gop=0:force-cfr=1"
            ),
            "video/x-h264,stream-format=byte-stream,alignment=au",
        ),
        VideoCodec::H265 => (
            format!(
                "x265enc speed-preset=ultrafast bitrate={bitrate} key-int-max={gop} log-level=none \
                 option-string=scenecut=0:min-keyint={gop}:open-gop=0:bframes={bframes}:b-adapt=0:aud=1:\
                 vbv-maxrate={bitrate}:vbv-bufsize={bitrate}"
            ),
            "video/x-h265,stream-format=byte-stream,alignment=au",
        ),
    };
    let painter = Painter::new(spec.size, fps, frames);
    let pipeline = launch(&format!(
        "appsrc name=in format=time block=true max-bytes=16000000 ! {encoder} ! {caps} ! appsink name=out sync=false"
    ))?;
    let input: AppSrc = element(&pipeline, "in")?;
    input.set_caps(Some(&painter.caps()));
    let tick = move |index: usize| gst::ClockTime::from_nseconds(index as u64 * 1_000_000_000 / fps as u64);
    std::thread::spawn(move || {
        for index in 0..frames {
            let mut buffer = gst::Buffer::from_slice(painter.frame(index));
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(tick(index));
                buffer.set_duration(tick(index + 1) - tick(index));
            }
            if input.push_buffer(buffer).is_err() {
                return;
            }
        }
        // Fails only if the pipeline is gone, and then nobody waits for the end.
        let _ = input.end_of_stream();
    });
    let (_, coded) = collect(&pipeline)?;
    if coded.len() != frames {
        return Err(Error::internal(format!("the encoder returned {} of {frames} frames", coded.len())));
    }
    Ok(Clip { caps: caps.into(), ticks: 1, rate: fps as u64, units: order(coded, fps) })
}

/// Turns the encoder's time stamps into distances between decoding and presentation, in frames.
fn order(coded: Vec<Coded>, fps: usize) -> Vec<Unit> {
    let first = coded.iter().map(|unit| unit.pts).min().unwrap_or_default();
    let place = |pts: u64| ((pts - first) * fps as u64 + 500_000_000) / 1_000_000_000;
    let shifts: Vec<i64> =
        coded.iter().zip(0..).map(|(unit, index)| place(unit.pts) as i64 - index).collect();
    let least = shifts.iter().copied().min().unwrap_or_default();
    coded
        .into_iter()
        .zip(shifts)
        .map(|(unit, shift)| Unit { data: unit.data, key: unit.key, shift: (shift - least) as u64 })
        .collect()
}

fn encode_audio(codec: AudioCodec, seconds: usize) -> Result<Clip> {
    let (rate, channels, ticks, encoder) = match codec {
        AudioCodec::Aac => {
            (48_000, 2, 1024, "avenc_aac bitrate=96000 ! audio/mpeg,mpegversion=4,stream-format=raw")
        }
        AudioCodec::Pcma => (8000, 1, 160, "alawenc"),
        AudioCodec::Pcmu => (8000, 1, 160, "mulawenc"),
    };
    let packets = seconds * rate / ticks;
    let pipeline = launch(&format!(
        "audiotestsrc wave=ticks volume=0.4 sine-periods-per-tick=80 samplesperbuffer={ticks} num-buffers={packets} \
         ! audio/x-raw,rate={rate},channels={channels} ! audioconvert ! {encoder} ! appsink name=out sync=false"
    ))?;
    let (caps, coded) = collect(&pipeline)?;
    let units = coded.into_iter().map(|unit| Unit { data: unit.data, key: true, shift: 0 }).collect();
    Ok(Clip { caps, ticks: ticks as u64, rate: rate as u64, units })
}

/// One buffer as it left the encoder; `pts` in nanoseconds.
struct Coded {
    data: Vec<u8>,
    key: bool,
    pts: u64,
}

/// Runs the pipeline to its end and returns what came out, with the caps.
fn collect(pipeline: &gst::Pipeline) -> Result<(String, Vec<Coded>)> {
    let sink: AppSink = element(pipeline, "out")?;
    pipeline.set_state(gst::State::Playing).map_err(|_| Error::unsupported("the encoder does not start"))?;
    let mut coded = Vec::new();
    let mut caps = String::new();
    while let Some(sample) = sink.try_pull_sample(ENCODER_PATIENCE) {
        let buffer = sample.buffer().ok_or_else(|| Error::internal("a sample without a buffer"))?;
        let map = buffer.map_readable().map_err(|_| Error::internal("a buffer that cannot be read"))?;
        let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        coded.push(Coded { data: map.to_vec(), key, pts: buffer.pts().map_or(0, gst::ClockTime::nseconds) });
        caps = sample.caps().map(ToString::to_string).unwrap_or_default();
    }
    let failed = pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    pipeline.set_state(gst::State::Null).map_err(|_| Error::internal("the encoder does not stop"))?;
    match failed.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(Error::internal(format!("encoding: {}", error.error()))),
        _ if coded.is_empty() => Err(Error::internal("the encoder returned nothing")),
        _ => Ok((caps, coded)),
    }
}

fn launch(description: &str) -> Result<gst::Pipeline> {
    let element = gst::parse::launch(description).map_err(|e| Error::unsupported(format!("encoder: {e}")))?;
    element.downcast().map_err(|_| Error::internal("a launch line that is no pipeline"))
}

fn element<T: IsA<gst::Element>>(pipeline: &gst::Pipeline, name: &str) -> Result<T> {
    pipeline
        .by_name(name)
        .and_then(|element| element.downcast().ok())
        .ok_or_else(|| Error::internal(format!("no element {name:?}")))
}
