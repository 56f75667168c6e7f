//! What all inputs share: a small GStreamer pipeline whose branches end in appsinks.
//!
//! A pipeline lives for one connection and is rebuilt for the next: one that was stopped cannot be
//! relied on to link its delayed pads again. Building, starting and stopping block and run on
//! tokio's blocking threads; samples arrive on GStreamer's own.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use tokio::sync::mpsc;

use super::feed::Feed;
use crate::base::{Error, Kind, Result};
use crate::media::frame::Track;
use crate::media::stream::OfflineReason;

/// Why a connection is not delivering any more.
#[derive(Clone, Debug)]
pub struct Failure {
    pub reason: OfflineReason,
    pub text: String,
    /// The server refused the RTSP transport, so another may work.
    pub transport: bool,
}

impl Failure {
    pub fn new(reason: OfflineReason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into(), transport: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = match error.kind() {
            Kind::NotFound => OfflineReason::NotFound,
            Kind::Unauthorised => OfflineReason::Unauthorised,
            Kind::Unsupported | Kind::BadInput => OfflineReason::Unsupported,
            Kind::Timeout => OfflineReason::NoRoute,
            Kind::Refused => OfflineReason::Refused,
            Kind::Full | Kind::Internal => OfflineReason::Lost,
        };
        Self::new(reason, error.to_string())
    }
}

/// What a pipeline reports.
#[derive(Clone, Debug)]
pub enum Report {
    Failed(Failure),
    /// The input ended: a file came to its end, or a server closed the stream.
    Ended,
}

/// Sends reports to the source's task. Bounded to [`Reporter::QUEUE`]; only the first few of a
/// broken pipeline matter, the rest are left out.
#[derive(Clone, Debug)]
pub struct Reporter(mpsc::Sender<Report>);

impl Reporter {
    const QUEUE: usize = 8;

    pub fn new() -> (Self, mpsc::Receiver<Report>) {
        let (tx, rx) = mpsc::channel(Self::QUEUE);
        (Self(tx), rx)
    }

    pub fn send(&self, report: Report) {
        // A full queue means that the task already knows of a failure.
        let _ = self.0.try_send(report);
    }
}

/// A pipeline under construction or running. Dropping it stops it, which may block for as long as
/// the camera takes to answer a TEARDOWN.
#[derive(Debug)]
pub struct Pipeline {
    bin: gst::Pipeline,
}

impl Pipeline {
    /// A stopped pipeline around `input`, with its failures going to `reporter`.
    pub fn new(input: &gst::Element, reporter: &Reporter) -> Result<Self> {
        let bin = gst::Pipeline::new();
        bin.add(input).map_err(|_| Error::internal("input cannot be added to the pipeline"))?;
        let bus = bin.bus().ok_or_else(|| Error::internal("pipeline without a bus"))?;
        let reporter = reporter.clone();
        bus.set_sync_handler(move |_, message| {
            match message.view() {
                gst::MessageView::Error(error) => {
                    reporter.send(Report::Failed(classify(&error.error(), error.debug().as_deref())));
                }
                gst::MessageView::Eos(_) => reporter.send(Report::Ended),
                _ => {}
            }
            gst::BusSyncReply::Drop
        });
        Ok(Self { bin })
    }

    /// Adds `next` behind `element`.
    pub fn append(&self, element: &gst::Element, next: &gst::Element) -> Result<()> {
        self.bin
            .add(next)
            .and_then(|()| element.link(next))
            .map_err(|e| Error::internal(format!("pipeline cannot be built: {e}")))
    }

    /// For pad callbacks, which must not keep the pipeline alive.
    pub fn downgrade(&self) -> gst::glib::WeakRef<gst::Pipeline> {
        self.bin.downgrade()
    }

    pub fn play(&self) -> Result<()> {
        self.bin
            .set_state(gst::State::Playing)
            .map(drop)
            .map_err(|_| Error::internal("pipeline does not start"))
    }

    /// Goes back to the start of the input, for files. Pausing meanwhile is what makes the clock that
    /// samples are held back by start anew; without it everything would count as late.
    pub fn rewind(&self) -> Result<()> {
        let failed = |what: &str| Error::unsupported(format!("file cannot be played again: {what}"));
        self.bin.set_state(gst::State::Paused).map_err(|_| failed("it does not pause"))?;
        self.bin
            .seek_simple(gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT, gst::ClockTime::ZERO)
            .map_err(|_| failed("it has no way back to its start"))?;
        self.bin.set_start_time(gst::ClockTime::ZERO);
        self.play()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if self.bin.set_state(gst::State::Null).is_err() {
            tracing::warn!("pipeline does not stop");
        }
        if let Some(bus) = self.bin.bus() {
            bus.unset_sync_handler();
        }
    }
}

/// Makes an element; a missing plugin is named.
pub fn element(name: &str) -> Result<gst::Element> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| Error::unsupported(format!("GStreamer element {name} is not installed")))
}

/// One kind of elementary stream and how it gets to its appsink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    H264,
    H265,
    Aac,
}

impl Branch {
    pub fn track(self) -> Track {
        match self {
            Self::H264 | Self::H265 => Track::Video,
            Self::Aac => Track::Audio,
        }
    }

    fn parser(self) -> &'static str {
        match self {
            Self::H264 => "h264parse",
            Self::H265 => "h265parse",
            Self::Aac => "aacparse",
        }
    }

    fn caps(self) -> gst::Caps {
        match self {
            Self::H264 => {
                gst::Caps::builder("video/x-h264").field("stream-format", "avc").field("alignment", "au")
            }
            Self::H265 => {
                gst::Caps::builder("video/x-h265").field("stream-format", "hvc1").field("alignment", "au")
            }
            Self::Aac => {
                gst::Caps::builder("audio/mpeg").field("mpegversion", 4i32).field("stream-format", "raw")
            }
        }
        .build()
    }
}

/// Where a pipeline's branches deliver.
#[derive(Clone, Debug)]
pub struct Outlet {
    pub feed: Arc<Feed>,
    pub reporter: Reporter,
    /// Whether appsinks hold samples back until their time: for inputs that are not live.
    pub paced: bool,
}

impl Outlet {
    /// Adds `first` (a depayloader, if the input needs one), the parser and an appsink behind `pad`.
    pub fn attach(
        &self,
        bin: &gst::Pipeline,
        pad: &gst::Pad,
        branch: Branch,
        first: Option<&str>,
    ) -> Result<()> {
        let feed = self.feed.clone();
        let reporter = self.reporter.clone();
        let track = branch.track();
        let sink = gst_app::AppSink::builder()
            .caps(&branch.caps())
            .sync(self.paced)
            .async_(false)
            .max_buffers(4)
            .callbacks(
                gst_app::AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                        feed.sample(track, &sample).map_err(|error| {
                            reporter.send(Report::Failed(error.into()));
                            gst::FlowError::Error
                        })?;
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            )
            .build();
        let mut chain = Vec::with_capacity(3);
        if let Some(name) = first {
            chain.push(element(name)?);
        }
        chain.push(element(branch.parser())?);
        chain.push(sink.upcast());
        let link = || -> std::result::Result<(), gst::glib::BoolError> {
            bin.add_many(&chain)?;
            gst::Element::link_many(&chain)?;
            // Downstream first, so that no element gets data before it is ready.
            for element in chain.iter().rev() {
                element.sync_state_with_parent()?;
            }
            Ok(())
        };
        link().map_err(|e| Error::internal(format!("branch cannot be built: {e}")))?;
        let entry = chain
            .first()
            .and_then(|e| e.static_pad("sink"))
            .ok_or_else(|| Error::internal("branch without an entry"))?;
        pad.link(&entry).map_err(|e| Error::internal(format!("branch cannot be linked: {e}")))?;
        Ok(())
    }
}

/// The media types that an input offered and that nobody took, for the error text. At most
/// [`Offered::MAX`] are kept.
#[derive(Clone, Debug, Default)]
pub struct Offered(Arc<Mutex<Vec<String>>>);

impl Offered {
    const MAX: usize = 16;

    pub fn add(&self, name: impl Into<String>) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < Self::MAX {
            names.push(name.into());
        }
    }

    /// The failure of an input that has no picture for us.
    pub fn failure(&self) -> Failure {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = if names.is_empty() { "nothing else".to_owned() } else { names.join(", ") };
        Failure::new(OfflineReason::Unsupported, format!("no H.264 or H.265 video, but {found}"))
    }
}

/// Tells failure classes apart. GStreamer's error domains are coarse (a refused and an unreachable
/// connection look alike), so the system's own words in the message decide where they can.
fn classify(error: &gst::glib::Error, debug: Option<&str>) -> Failure {
    let detail = format!("{} {}", error.message(), debug.unwrap_or_default()).to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    let resource = error.kind::<gst::ResourceError>();
    let transport =
        says(&["no protocols left", "unsupported transport", "(461)", "allow more transport protocols"]);
    let (reason, text) = if matches!(resource, Some(gst::ResourceError::NotAuthorized))
        || says(&["unauthorized", "(401)"])
    {
        (OfflineReason::Unauthorised, "user name or password is wrong")
    } else if matches!(resource, Some(gst::ResourceError::NotFound)) || says(&["not found (404)", "(404)"]) {
        (OfflineReason::NotFound, "no stream at this address")
    } else if says(&["refused"]) {
        (OfflineReason::Refused, "connection refused")
    } else if says(&["no route", "unreachable", "timed out", "timeout", "resolv", "not known"]) {
        (OfflineReason::NoRoute, "nobody answers at this address")
    } else if transport {
        (OfflineReason::Refused, "transport refused")
    } else if error.kind::<gst::StreamError>().is_some() {
        (OfflineReason::Unsupported, "stream cannot be read")
    } else {
        (OfflineReason::Lost, "connection lost")
    };
    Failure { reason, text: format!("{text} ({})", error.message()), transport }
}
