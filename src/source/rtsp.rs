//! RTSP and RTSPS cameras: `rtspsrc`, TCP first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_rtsp::RTSPLowerTrans;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::pipeline::{Branch, Offered, Outlet, Pipeline, Report, element};
use crate::base::spec::SourceSpec;
use crate::base::{Error, Result};
use crate::media::frame::Track;

/// How long a connection may take to be made, and a UDP stream to start.
const CONNECT_TIMEOUT_US: u64 = 4_000_000;
/// Reordering window for RTP over UDP; over TCP nothing arrives out of order.
const UDP_LATENCY_MS: u32 = 60;

/// Builds the pipeline for one connection; `tcp` chooses the transport.
pub fn build(spec: &SourceSpec, tcp: bool, outlet: Outlet) -> Result<Pipeline> {
    let input = element("rtspsrc")?;
    input.set_property("location", location(spec)?);
    // Cameras have certificates that nobody signed; encryption without proof is still better than none.
    input.set_property_from_str("tls-validation-flags", "0");
    input.set_property("tcp-timeout", CONNECT_TIMEOUT_US);
    input.set_property("timeout", CONNECT_TIMEOUT_US);
    let (transport, latency) = match (tcp, spec.url.starts_with("rtsps:")) {
        (true, false) => (RTSPLowerTrans::TCP, 0),
        (true, true) => (RTSPLowerTrans::TCP | RTSPLowerTrans::TLS, 0),
        (false, _) => (RTSPLowerTrans::UDP | RTSPLowerTrans::UDP_MCAST, UDP_LATENCY_MS),
    };
    input.set_property("protocols", transport);
    input.set_property("latency", latency);

    let wanted = Wanted { sound: spec.audio, ..Wanted::default() };
    input.connect("select-stream", false, {
        let wanted = wanted.clone();
        let feed = outlet.feed.clone();
        move |args| {
            let caps = args.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
            let branch = caps.and_then(|caps| wanted.select(&caps));
            if branch == Some(Branch::Aac) {
                feed.expect_sound();
            }
            Some(branch.is_some().to_value())
        }
    });

    let pipeline = Pipeline::new(&input, &outlet.reporter)?;
    let bin = pipeline.downgrade();
    let pad_outlet = outlet.clone();
    input.connect_pad_added(move |_, pad| {
        let (Some(bin), Some(caps)) = (bin.upgrade(), pad.current_caps()) else { return };
        let Some((branch, depay)) = branch_of(&caps) else { return };
        if let Err(error) = pad_outlet.attach(&bin, pad, branch, Some(depay)) {
            pad_outlet.reporter.send(Report::Failed(error.into()));
        }
    });
    input.connect("no-more-pads", false, move |_| {
        if !wanted.picture.load(Ordering::Relaxed) {
            outlet.reporter.send(Report::Failed(wanted.offered.failure()));
        }
        None
    });
    Ok(pipeline)
}

/// The address with user and password inside. Given there, rtspsrc tries them once in a connection; given
/// as properties it sends a wrong password eight times over, and cameras lock accounts.
fn location(spec: &SourceSpec) -> Result<String> {
    if spec.user.is_empty() {
        return Ok(spec.url.clone());
    }
    let mut url = Url::parse(&spec.url).map_err(|e| Error::bad_input(format!("address: {e}")))?;
    // Encoded here, as `Url` leaves a per cent sign alone and GStreamer decodes it.
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    url.set_username(&encoded(&spec.user))
        .and_then(|()| url.set_password(Some(&encoded(spec.password.expose()))))
        .map_err(|()| Error::bad_input("address without a host"))?;
    Ok(url.into())
}

/// Which of the camera's streams are set up: the first picture and the first AAC sound.
#[derive(Clone, Debug, Default)]
struct Wanted {
    sound: bool,
    picture: Arc<AtomicBool>,
    has_sound: Arc<AtomicBool>,
    offered: Offered,
}

impl Wanted {
    fn select(&self, caps: &gst::CapsRef) -> Option<Branch> {
        let found = branch_of(caps).map(|(branch, _)| branch);
        let taken = found.filter(|branch| match branch.track() {
            Track::Video => !self.picture.swap(true, Ordering::Relaxed),
            Track::Audio => self.sound && !self.has_sound.swap(true, Ordering::Relaxed),
        });
        if taken.is_none() {
            self.offered.add(field(caps, "encoding-name").unwrap_or("an unnamed stream"));
        }
        taken
    }
}

fn field<'a>(caps: &'a gst::CapsRef, name: &str) -> Option<&'a str> {
    caps.structure(0)?.get::<&str>(name).ok()
}

/// The branch and depayloader for an RTP stream, by its SDP encoding name.
fn branch_of(caps: &gst::CapsRef) -> Option<(Branch, &'static str)> {
    match (field(caps, "media")?, field(caps, "encoding-name")?) {
        ("video", "H264") => Some((Branch::H264, "rtph264depay")),
        ("video", "H265") => Some((Branch::H265, "rtph265depay")),
        ("audio", "MPEG4-GENERIC") => Some((Branch::Aac, "rtpmp4gdepay")),
        ("audio", "MP4A-LATM") => Some((Branch::Aac, "rtpmp4adepay")),
        _ => None,
    }
}
