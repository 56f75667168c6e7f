//! The second half of a picture: raw video becomes a JPEG; runs in the child only.

use gstreamer as gst;
use gstreamer::prelude::*;

use super::pipeline::{Pipeline, element};
use crate::base::{Error, Result};

/// What a JPEG file means by its numbers (JFIF): full range, BT.601 matrix. Video is rarely so.
const JPEG_COLORS: &str = "1:4:0:0";

/// The picture with square pixels, `width` pixels wide if that is given, as the element `encoder`
/// writes it.
///
/// # Errors
/// `Unsupported` when the element is not installed, `BadInput` when it gives no picture.
pub(super) fn jpeg(encoder: &str, picture: &gst::Sample, width: Option<u32>) -> Result<Vec<u8>> {
    let fault = |what: &str| Error::bad_input(format!("picture is not encoded: {what}"));
    let caps = picture.caps_owned().ok_or_else(|| fault("it has no caps"))?;
    let raw = picture.buffer_owned().ok_or_else(|| fault("it has no data"))?;
    let size = gst::Caps::builder("video/x-raw").field("pixel-aspect-ratio", gst::Fraction::new(1, 1));
    let size = match width {
        Some(width) => size.field("width", i32::try_from(width).unwrap_or(i32::MAX)).build(),
        None => size.build(),
    };
    let encoder = element(encoder)?;
    let colors = colors(&encoder);
    let elements =
        [element("videoscale")?, filter(&size)?, element("videoconvert")?, filter(&colors)?, encoder];
    let pipeline = Pipeline::new(&caps, &elements, &gst::Caps::new_empty_simple("image/jpeg"))?;
    let sample = pipeline.run(&raw, 1).map_err(|error| fault(&error.to_string()))?;
    let data = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
    data.map(|data| data.to_vec()).ok_or_else(|| fault("it cannot be read"))
}

/// What the encoder is given: the form of most decoders where it takes that. Left to themselves, the
/// elements agree on one that costs twice as much.
fn colors(encoder: &gst::Element) -> gst::Caps {
    let any = || gst::Caps::builder("video/x-raw").field("colorimetry", JPEG_COLORS);
    let planar = any().field("format", "I420").build();
    let takes = encoder.factory().is_some_and(|factory| factory.can_sink_any_caps(&planar));
    if takes { planar } else { any().build() }
}

fn filter(caps: &gst::Caps) -> Result<gst::Element> {
    let filter = element("capsfilter")?;
    filter.set_property("caps", caps);
    Ok(filter)
}
