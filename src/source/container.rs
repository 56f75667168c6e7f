//! Inputs that come in a container: files (MP4, MKV, TS, FLV), looped, and RTMP servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::pipeline::{Branch, Offered, Outlet, Pipeline, Report, element};
use crate::base::spec::SourceSpec;
use crate::base::{Error, Result};
use crate::media::frame::Track;

/// Reads a file at the speed at which it plays.
pub fn build_file(spec: &SourceSpec, outlet: Outlet) -> Result<Pipeline> {
    if !std::path::Path::new(&spec.url).is_file() {
        return Err(Error::not_found("file does not exist"));
    }
    let input = element("filesrc")?;
    input.set_property("location", &spec.url);
    build(spec, &input, Outlet { paced: true, ..outlet })
}

/// Pulls from an RTMP or RTMPS server.
pub fn build_rtmp(spec: &SourceSpec, outlet: Outlet) -> Result<Pipeline> {
    let input = element("rtmp2src")?;
    input.set_property("location", &spec.url);
    if !spec.user.is_empty() {
        input.set_property("username", &spec.user);
        input.set_property("password", spec.password.expose());
    }
    build(spec, &input, outlet)
}

fn build(spec: &SourceSpec, input: &gst::Element, outlet: Outlet) -> Result<Pipeline> {
    let pipeline = Pipeline::new(input, &outlet.reporter)?;
    let parse = element("parsebin")?;
    pipeline.append(input, &parse)?;
    let bin = pipeline.downgrade();
    if spec.audio {
        // A server's sound is announced only after its picture runs.
        outlet.feed.expect_sound();
    }
    let taken = Arc::new([AtomicBool::new(false), AtomicBool::new(!spec.audio)]);
    let offered = Offered::default();
    parse.connect_pad_added({
        let (taken, offered, outlet) = (taken.clone(), offered.clone(), outlet.clone());
        move |_, pad| {
            let Some(bin) = bin.upgrade() else { return };
            // A transport stream's pads come before their caps do.
            let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
            let branch = branch_of(&caps).filter(|branch| {
                let slot = &taken[usize::from(branch.track() == Track::Audio)];
                !slot.swap(true, Ordering::Relaxed)
            });
            let attached = match branch {
                Some(branch) => outlet.attach(&bin, pad, branch, None),
                None => {
                    offered.add(caps.structure(0).map_or("unknown", |s| s.name().as_str()));
                    discard(&bin, pad)
                }
            };
            if let Err(error) = attached {
                outlet.reporter.send(Report::Failed(error.into()));
            }
        }
    });
    parse.connect_no_more_pads(move |_| {
        if !taken[1].load(Ordering::Relaxed) {
            outlet.feed.no_sound();
        }
        if !taken[0].load(Ordering::Relaxed) {
            outlet.reporter.send(Report::Failed(offered.failure()));
        }
    });
    Ok(pipeline)
}

fn branch_of(caps: &gst::CapsRef) -> Option<Branch> {
    let structure = caps.structure(0)?;
    match structure.name().as_str() {
        "video/x-h264" => Some(Branch::H264),
        "video/x-h265" => Some(Branch::H265),
        // 1 is MP3; AAC is 2 or 4, and both while it is not parsed yet.
        "audio/mpeg" if structure.get::<i32>("mpegversion") != Ok(1) => Some(Branch::Aac),
        _ => None,
    }
}

/// A stream that nobody wants still has to flow, or the container reader stops.
fn discard(bin: &gst::Pipeline, pad: &gst::Pad) -> Result<()> {
    let sink = element("fakesink")?;
    sink.set_property("async", false);
    let link = || -> Option<()> {
        bin.add(&sink).ok()?;
        sink.sync_state_with_parent().ok()?;
        pad.link(&sink.static_pad("sink")?).ok()?;
        Some(())
    };
    link().ok_or_else(|| Error::internal("unused stream cannot be discarded"))
}
