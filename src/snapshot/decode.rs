//! Decodes one key frame to JPEG with GStreamer; runs in the child only.
//!
//! Each frame gets a pipeline of its own: nothing of a damaged one is left for the next.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};

use crate::base::{Error, Result};
use crate::media::params::VideoCodec;

/// Decoders by codec, the preferred one first; the next is tried when one is not installed or gives
/// no picture. The libav ones with a single thread: more threads delay the only frame (openh264dec
/// gives no picture at all for one).
const DECODERS: [(VideoCodec, &[&str]); 2] =
    [(VideoCodec::H264, &["avdec_h264 max-threads=1"]), (VideoCodec::H265, &["avdec_h265 max-threads=1"])];

/// What a JPEG file means by its numbers (JFIF): full range, BT.601 matrix. Video is rarely so.
const JPEG_COLORS: &str = "1:4:0:0";

/// How long one decoder may take; shorter than the daemon's own deadline.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_mseconds(1800);

/// A key frame as JPEG with square pixels, `width` pixels wide if that is given.
///
/// # Errors
/// `Unsupported` without a decoder, `BadInput` when the frame does not decode.
pub(super) fn jpeg(codec: VideoCodec, config: Vec<u8>, unit: Vec<u8>, width: Option<u32>) -> Result<Vec<u8>> {
    let caps = caps(codec, config);
    let buffer = gst::Buffer::from_slice(unit);
    let names = DECODERS.iter().filter(|(of, _)| *of == codec).flat_map(|(_, names)| *names);
    let installed = names.filter(|name| {
        let element = name.split(' ').next().unwrap_or(name);
        gst::ElementFactory::find(element).is_some()
    });
    let mut outcome = Err(Error::unsupported(format!("no decoder for {codec:?} is installed")));
    for decoder in installed {
        outcome = Picture::new(decoder, &caps, width).and_then(|pipeline| pipeline.run(buffer.clone()));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn caps(codec: VideoCodec, config: Vec<u8>) -> gst::Caps {
    let (name, format) = match codec {
        VideoCodec::H264 => ("video/x-h264", "avc"),
        VideoCodec::H265 => ("video/x-h265", "hvc1"),
    };
    gst::Caps::builder(name)
        .field("stream-format", format)
        .field("alignment", "au")
        .field("codec_data", gst::Buffer::from_slice(config))
        .build()
}

/// A pipeline for one picture; dropping it stops it.
struct Picture {
    pipeline: gst::Pipeline,
    input: AppSrc,
    output: AppSink,
}

impl Picture {
    fn new(decoder: &str, caps: &gst::Caps, width: Option<u32>) -> Result<Self> {
        let description = format!(
            "appsrc name=in format=time ! {decoder} ! videoscale ! capsfilter name=size ! videoconvert \
             ! video/x-raw,format=I420,colorimetry={JPEG_COLORS} ! jpegenc ! appsink name=out sync=false"
        );
        let pipeline =
            gst::parse::launch(&description).map_err(|error| Error::internal(error.to_string()))?;
        let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| missing("pipeline"))?;
        let size = gst::Caps::builder("video/x-raw").field("pixel-aspect-ratio", gst::Fraction::new(1, 1));
        let size = match width {
            Some(width) => size.field("width", i32::try_from(width).unwrap_or(i32::MAX)).build(),
            None => size.build(),
        };
        pipeline.by_name("size").ok_or_else(|| missing("size"))?.set_property("caps", size);
        let input = pipeline.by_name("in").and_downcast::<AppSrc>().ok_or_else(|| missing("in"))?;
        let output = pipeline.by_name("out").and_downcast::<AppSink>().ok_or_else(|| missing("out"))?;
        input.set_caps(Some(caps));
        Ok(Self { pipeline, input, output })
    }

    fn run(&self, mut buffer: gst::Buffer) -> Result<Vec<u8>> {
        buffer.make_mut().set_pts(gst::ClockTime::ZERO);
        let play = self.pipeline.set_state(gst::State::Playing);
        play.map_err(|_| self.failure())?;
        self.input.push_buffer(buffer).map_err(|_| self.failure())?;
        self.input.end_of_stream().map_err(|_| self.failure())?;
        let sample = self.output.try_pull_sample(PATIENCE).ok_or_else(|| self.failure())?;
        let picture = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
        picture.map(|data| data.to_vec()).ok_or_else(|| self.failure())
    }

    /// What the pipeline says about its failure.
    fn failure(&self) -> Error {
        let bus = self.pipeline.bus();
        let message = bus.and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Error(error)) => {
                Error::bad_input(format!("key frame does not decode: {}", error.error()))
            }
            _ => Error::bad_input("key frame does not decode: the decoder gave no picture"),
        }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // Stopping cannot be refused; a failure has nobody left to care.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn missing(what: &str) -> Error {
    Error::internal(format!("snapshot pipeline: no {what}"))
}
