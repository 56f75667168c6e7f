//! The pipeline's parts: an entrance for encoded frames and what cuts them into RTP packets.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;

use crate::base::{Error, Result};
use crate::media::params::{AudioParams, VideoCodec, VideoParams};

/// What the entrance is told of the frames.
pub fn video_caps(video: &VideoParams) -> gst::Caps {
    let (name, format) = match video.codec {
        VideoCodec::H264 => ("video/x-h264", "avc"),
        VideoCodec::H265 => ("video/x-h265", "hvc1"),
    };
    gst::Caps::builder(name)
        .field("stream-format", format)
        .field("alignment", "au")
        .field("codec_data", gst::Buffer::from_slice(video.config.clone()))
        .field("width", i32::try_from(video.width).unwrap_or_default())
        .field("height", i32::try_from(video.height).unwrap_or_default())
        .build()
}

/// The same of sound.
pub fn audio_caps(audio: &AudioParams) -> gst::Caps {
    gst::Caps::builder("audio/mpeg")
        .field("mpegversion", 4)
        .field("stream-format", "raw")
        .field("codec_data", gst::Buffer::from_slice(audio.config.clone()))
        .field("rate", i32::try_from(audio.rate).unwrap_or_default())
        .field("channels", i32::from(audio.channels))
        .build()
}

/// Cuts pictures into RTP packets (RFC 6184, RFC 7798), with the parameter sets before each key frame.
///
/// # Errors
/// `Unsupported` when GStreamer lacks the plugin.
pub fn video_payloader(codec: VideoCodec) -> Result<gst::Element> {
    let kind = match codec {
        VideoCodec::H264 => "rtph264pay",
        VideoCodec::H265 => "rtph265pay",
    };
    build(gst::ElementFactory::make(kind).property("pt", 96u32).property("config-interval", -1i32))
}

/// Cuts AAC into RTP packets (RFC 3640).
///
/// # Errors
/// As for [`video_payloader`].
pub fn audio_payloader() -> Result<gst::Element> {
    build(gst::ElementFactory::make("rtpmp4gpay").property("pt", 97u32))
}

/// `Unsupported` when the element cannot be made.
pub fn build(builder: gst::element_factory::ElementBuilder<'_>) -> Result<gst::Element> {
    builder.build().map_err(|error| Error::unsupported(error.to_string()))
}

/// Puts `chain`, which begins with an entrance, into `bin` and links it.
///
/// # Errors
/// `Internal` when GStreamer refuses.
pub fn add_chain(bin: &gst::Bin, chain: &[&gst::Element]) -> Result<()> {
    let done = bin.add_many(chain).and_then(|()| gst::Element::link_many(chain));
    done.map_err(refused)
}

/// What GStreamer refuses to do with elements that it made itself.
pub fn refused(error: glib::BoolError) -> Error {
    Error::internal(error.to_string())
}

/// A buffer that refers to the frame's own bytes.
pub fn buffer(data: bytes::Bytes, pts: gst::ClockTime, dts: gst::ClockTime, key: bool) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(data);
    if let Some(fresh) = buffer.get_mut() {
        fresh.set_pts(pts);
        fresh.set_dts(dts);
        if !key {
            fresh.set_flags(gst::BufferFlags::DELTA_UNIT);
        }
    }
    buffer
}

/// Pushes; whether the pipeline still takes anything.
pub fn push(source: &AppSrc, buffer: gst::Buffer) -> bool {
    source.push_buffer(buffer).is_ok()
}
