//! The first half of a picture: a key frame is decoded by one element; runs in the child only.
//!
//! Each frame gets a pipeline of its own, with nothing but itself and its parameter sets: nothing of a
//! damaged one is left for the next, and a hardware decoder is open for no longer than one picture.

use gstreamer as gst;
use gstreamer::prelude::*;

use super::pipeline::{Pipeline, element};
use crate::base::{Error, Result};
use crate::media::params::VideoCodec;

/// A decoded picture in system memory. Its memory may be the decoder's own.
pub(super) struct Decoded {
    pub sample: gst::Sample,
    _decoder: Pipeline,
}

/// Decodes a key frame with the element `decoder`. `size` is what must come out, if anything.
///
/// # Errors
/// `Unsupported` when the element is not installed, `BadInput` when no picture of that size comes out.
pub(super) fn decode(
    codec: VideoCodec,
    decoder: &str,
    config: Vec<u8>,
    unit: Vec<u8>,
    size: Option<(u32, u32)>,
) -> Result<Decoded> {
    let caps = caps(codec, config);
    let decoder = element(decoder)?;
    if decoder.has_property("max-threads") {
        // Of the libav ones: more threads delay the only frame.
        decoder.set_property_from_str("max-threads", "1");
    }
    // Of a stream whose pictures may come out in another order than they go in, it keeps the last one at the
    // end (seen with 2.3.1 and with the one of Debian 13), unless the next key frame drives it out.
    let times = if is(&decoder, "openh264dec") { 2 } else { 1 };
    let mut elements = vec![decoder];
    if !elements.iter().all(|decoder| takes(decoder, &caps)) {
        elements.insert(0, element(parser(codec))?);
    }
    if let Some(decoder) = elements.last().filter(|decoder| is_stateful_v4l2(decoder)) {
        strip_colorimetry(decoder);
    }
    // Without features: system memory. Newer decoders would hand out DMA buffers otherwise.
    let raw = gst::Caps::new_empty_simple("video/x-raw");
    let pipeline = Pipeline::new(&caps, &elements, &raw)?;
    let fault = |error: Error| error.context("key frame does not decode");
    let sample = pipeline.run(&gst::Buffer::from_slice(unit), times).map_err(fault)?;
    let given = dimensions(&sample);
    if let (Some((width, height)), true) = (size, given != size) {
        let (wide, high) = given.unwrap_or_default();
        let text = format!("a picture of {wide} x {high} came out, not {width} x {height}");
        return Err(fault(Error::bad_input(text)));
    }
    Ok(Decoded { sample, _decoder: pipeline })
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

/// Whether it takes our form of the stream; many hardware decoders want start codes, or to be told
/// profile, level and size.
fn takes(decoder: &gst::Element, caps: &gst::Caps) -> bool {
    decoder.factory().is_some_and(|factory| factory.can_sink_all_caps(caps))
}

const fn parser(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::H264 => "h264parse",
        VideoCodec::H265 => "h265parse",
    }
}

fn is(element: &gst::Element, name: &str) -> bool {
    element.factory().is_some_and(|factory| factory.name() == name)
}

/// `v4l2h264dec` and the like; the stateless ones are called `v4l2sl…`.
fn is_stateful_v4l2(decoder: &gst::Element) -> bool {
    let name = decoder.factory().map(|factory| factory.name());
    name.is_some_and(|name| name.starts_with("v4l2") && !name.starts_with("v4l2sl"))
}

/// These refuse a stream whose parameter sets name a transfer function that the driver does not know
/// (Raspberry Pi 4), although decoding has no use for it.
fn strip_colorimetry(decoder: &gst::Element) {
    let Some(pad) = decoder.static_pad("sink") else { return };
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        let caps = match info.event().map(|event| event.view()) {
            Some(gst::EventView::Caps(caps)) => Some(caps.caps_owned()),
            _ => None,
        };
        if let Some(mut caps) = caps {
            caps.make_mut().iter_mut().for_each(|fields| fields.remove_field("colorimetry"));
            info.data = Some(gst::PadProbeData::Event(gst::event::Caps::new(&caps)));
        }
        gst::PadProbeReturn::Ok
    });
}

/// Width and height of a raw picture.
fn dimensions(sample: &gst::Sample) -> Option<(u32, u32)> {
    let fields = sample.caps()?.structure(0)?;
    let side = |name: &str| u32::try_from(fields.get::<i32>(name).ok()?).ok();
    side("width").zip(side("height"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colorimetry_does_not_reach_a_stateful_v4l2_decoder() {
        gst::init().unwrap();
        let sink = element("fakesink").unwrap();
        strip_colorimetry(&sink);
        sink.set_state(gst::State::Paused).unwrap();
        let pad = sink.static_pad("sink").unwrap();
        pad.send_event(gst::event::StreamStart::new("test"));
        let caps = gst::Caps::builder("video/x-h264").field("level", "4").field("colorimetry", "2:3:99:1");
        assert!(pad.send_event(gst::event::Caps::new(&caps.build())));
        let seen = pad.current_caps().unwrap();
        assert_eq!(seen, gst::Caps::builder("video/x-h264").field("level", "4").build());
        sink.set_state(gst::State::Null).unwrap();
    }
}
