//! A GStreamer pipeline for one buffer, from an appsrc to an appsink; runs in the child only.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};

use crate::base::{Error, Result};

/// How often a pipeline that gives nothing is asked whether it has failed.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(20);

/// Dropping it stops it.
pub(super) struct Pipeline {
    pipeline: gst::Pipeline,
    input: AppSrc,
    output: AppSink,
}

impl Pipeline {
    /// What comes in as `from` goes through `elements` and comes out as `to`.
    ///
    /// # Errors
    /// `Internal` when they do not fit together.
    pub fn new(from: &gst::Caps, elements: &[gst::Element], to: &gst::Caps) -> Result<Self> {
        let input = AppSrc::builder().caps(from).format(gst::Format::Time).build();
        let output = AppSink::builder().caps(to).sync(false).build();
        let pipeline = gst::Pipeline::new();
        let all: Vec<&gst::Element> =
            std::iter::once(input.upcast_ref()).chain(elements).chain([output.upcast_ref()]).collect();
        pipeline.add_many(&all).and_then(|()| gst::Element::link_many(&all)).map_err(internal)?;
        Ok(Self { pipeline, input, output })
    }

    /// Feeds the one buffer, `times` over, and gives the first thing that comes out. Waits as long as the
    /// elements do: one that hangs cannot be stopped from in here.
    ///
    /// # Errors
    /// `BadInput` with what the pipeline says about its failure.
    pub fn run(&self, buffer: &gst::Buffer, times: u64) -> Result<gst::Sample> {
        let push = |number| {
            let mut buffer = buffer.copy();
            buffer.make_mut().set_pts(gst::ClockTime::SECOND * number);
            self.input.push_buffer(buffer).is_ok()
        };
        let pushed = self.pipeline.set_state(gst::State::Playing).is_ok()
            && (0..times).all(push)
            && self.input.end_of_stream().is_ok();
        loop {
            if let Some(sample) = pushed.then(|| self.output.try_pull_sample(LOOK)).flatten() {
                return Ok(sample);
            }
            if let Some(error) = self.failure() {
                return Err(Error::bad_input(error));
            }
            if !pushed || self.output.is_eos() {
                return Err(Error::bad_input("no picture came out"));
            }
        }
    }

    /// What the pipeline says about its failure.
    fn failure(&self) -> Option<String> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(error.error().to_string()),
            _ => None,
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Stopping cannot be refused; a failure has nobody left to care.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// A new element of that kind.
///
/// # Errors
/// `Unsupported` naming it when it is not installed.
pub(super) fn element(name: &str) -> Result<gst::Element> {
    let made = gst::ElementFactory::make(name).build();
    made.map_err(|_| Error::unsupported(format!("{name} is not installed")))
}

fn internal(error: gst::glib::BoolError) -> Error {
    Error::internal(format!("snapshot pipeline: {error}"))
}
