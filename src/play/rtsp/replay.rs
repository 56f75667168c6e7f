//! Recordings: the media behind `/replay/<token>`, as the ONVIF Streaming Specification, chapter 6, has
//! it. A client seeks by wall time (`Range: clock=…`), with or without rate control, all pictures or only
//! key frames (`Frames: intra`), and every picture carries its recorded time (RTP header extension
//! 0xABAC, by `rtponviftimestamp`). Gaps are closed on the RTP line and marked as discontinuities.
//!
//! One pipeline per client; the [`Reel`] is read on its streaming thread whenever the entrance is empty.
//! Seeks come in on the client's thread, while that thread stands still. Memory: one take of the reel in
//! the entrance, and the reel.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSrc, AppSrcCallbacks, AppStreamType};

use super::elements::{buffer, build, push, refused, video_caps, video_payloader};
use super::reel::{Ntp, Reel};
use crate::base::{Error, Result};
use crate::media::params::{Params, VideoCodec};
use crate::play::playback::Recordings;

/// Bytes in the entrance below which more is read.
const ENTRANCE: u64 = 256 << 10;

/// The elements of one client's pipeline.
///
/// # Errors
/// `NotFound` when nothing is recorded; why it cannot be read or played.
pub fn element(recordings: &Recordings, token: &str) -> Result<gst::Element> {
    let reel = Reel::open(recordings.clone(), token)?;
    let params = reel.params().cloned().ok_or_else(|| Error::not_found("nothing is recorded"))?;
    let codec = params.video.codec;
    let source = AppSrc::builder()
        .caps(&video_caps(&params.video))
        .format(gst::Format::Time)
        .stream_type(AppStreamType::Seekable)
        .max_bytes(ENTRANCE)
        .build();
    let player = Arc::new(Mutex::new(Player { reel, params, order: Order::default(), first: None }));
    watch(&source, &player)?;
    let seeking = player.clone();
    source.set_callbacks(
        AppSrcCallbacks::builder()
            .need_data(move |source, _| lock(&player).give(source))
            .seek_data(move |_, to| lock(&seeking).seek(to))
            .build(),
    );
    let bin = gst::Bin::new();
    let packets = packets(codec)?;
    bin.add_many([source.upcast_ref::<gst::Element>(), packets.upcast_ref()]).map_err(refused)?;
    source.link(&packets).map_err(refused)?;
    Ok(bin.upcast())
}

/// What the server takes for one payloader: RTP packets with the recorded times in them.
fn packets(codec: VideoCodec) -> Result<gst::Bin> {
    let payloader = video_payloader(codec)?;
    let stamper = build(
        gst::ElementFactory::make("rtponviftimestamp")
            .property("ntp-offset", 0u64)
            .property("set-e-bit", true)
            .property("set-t-bit", true)
            .property("drop-out-of-segment", false),
    )?;
    let bin = gst::Bin::with_name("pay0");
    bin.add_many([&payloader, &stamper]).map_err(refused)?;
    payloader.link(&stamper).map_err(refused)?;
    for (element, name) in [(&payloader, "sink"), (&stamper, "src")] {
        let target = element.static_pad(name).ok_or_else(|| Error::internal("an element without a pad"))?;
        let ghost = gst::GhostPad::builder_with_target(&target).map_err(refused)?.name(name).build();
        bin.add_pad(&ghost).map_err(refused)?;
    }
    Ok(bin)
}

/// What a client wants of the next seek, beside where to.
#[derive(Clone, Copy, Debug, Default)]
struct Order {
    keys: bool,
    to: Option<Ntp>,
}

/// What one client plays.
struct Player {
    reel: Reel,
    /// What the entrance was told last.
    params: Arc<Params>,
    order: Order,
    /// Where the running segment begins.
    first: Option<Ntp>,
}

impl Player {
    /// `to` in nanoseconds since 1900; 0 is the beginning.
    fn seek(&mut self, to: u64) -> bool {
        let to = Ntp(i64::try_from(to).unwrap_or(i64::MAX));
        match self.reel.seek(to, self.order.to, self.order.keys) {
            Ok(first) => {
                self.first = first;
                true
            }
            Err(error) => {
                tracing::warn!("RTSP replay: {error}");
                false
            }
        }
    }

    /// One take, or the end.
    fn give(&mut self, source: &AppSrc) {
        let take = self.reel.next().unwrap_or_else(|error| {
            tracing::warn!("RTSP replay: {error}");
            None
        });
        let Some(take) = take else {
            // Fails where the pipeline is gone.
            let _ = source.end_of_stream();
            return;
        };
        if take.params.video != self.params.video {
            source.set_caps(Some(&video_caps(&take.params.video)));
        }
        self.params = take.params;
        if let Some(offset) = take.jump {
            let jump = gst::Structure::builder("GstNtpOffset")
                .field("ntp-offset", offset)
                .field("discont", true)
                .build();
            source.send_event(gst::event::CustomDownstream::new(jump));
        }
        for shot in take.frames {
            let [pts, dts] = [shot.pts, shot.dts].map(clock_time);
            if !push(source, buffer(shot.frame.data, pts, dts, shot.frame.key)) {
                return;
            }
        }
    }
}

/// Follows what goes through the entrance's pad: orders that the seek callback is not told, and the
/// segment, which has to begin where the first picture does and not where the client asked.
fn watch(source: &AppSrc, player: &Arc<Mutex<Player>>) -> Result<()> {
    let pad = source.static_pad("src").ok_or_else(|| Error::internal("an entrance without a pad"))?;
    let ordering = Arc::downgrade(player);
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if let (Some(gst::EventView::Seek(seek)), Some(player)) =
            (info.event().map(|event| event.view()), ordering.upgrade())
        {
            let (_, flags, _, _, _, stop) = seek.get();
            lock(&player).order =
                Order { keys: flags.contains(gst::SeekFlags::TRICKMODE_KEY_UNITS), to: ntp(stop) };
        }
        gst::PadProbeReturn::Ok
    });
    let player = Arc::downgrade(player);
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let first = player.upgrade().and_then(|player| lock(&player).first);
        if let (Some(gst::PadProbeData::Event(event)), Some(first)) = (info.data.as_mut(), first)
            && let gst::EventView::Segment(segment) = event.view()
            && let Some(moved) = begin_at(segment, clock_time(first))
        {
            *event = moved;
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// The same segment with another beginning.
fn begin_at(event: &gst::event::Segment, first: gst::ClockTime) -> Option<gst::Event> {
    let mut segment = event.segment().downcast_ref::<gst::ClockTime>()?.clone();
    segment.set_start(first);
    segment.set_time(first);
    segment.set_position(first);
    if segment.stop().is_some_and(|stop| stop < first) {
        segment.set_stop(first);
    }
    Some(gst::event::Segment::builder(&segment).seqnum(event.seqnum()).build())
}

fn ntp(value: gst::GenericFormattedValue) -> Option<Ntp> {
    match value {
        gst::GenericFormattedValue::Time(Some(time)) => i64::try_from(time.nseconds()).ok().map(Ntp),
        _ => None,
    }
}

fn clock_time(ntp: Ntp) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(u64::try_from(ntp.0).unwrap_or_default())
}

/// The state is whole at any time.
fn lock(player: &Mutex<Player>) -> MutexGuard<'_, Player> {
    player.lock().unwrap_or_else(PoisonError::into_inner)
}
