//! One simulated camera: what it shows, how it is to misbehave, and the RTSP media factory that
//! makes its pipeline when the first client asks for it. All clients share that pipeline.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSrc, AppSrcCallbacks};
use gstreamer_rtsp_server::{RTSPMedia, RTSPMediaFactory, prelude::*};
use h5edge::base::{Error, Result};

use crate::{
    clip::{AudioCodec, Clip, VideoCodec, VideoSpec},
    feed::Feed,
};

/// The role that may watch, where log-in is asked for.
pub const ROLE: &str = "viewer";

/// A camera and its counters.
pub struct Camera {
    /// `/cam0` and so on.
    pub path: String,
    video: Mutex<(VideoSpec, Arc<Clip>)>,
    pub audio: Option<(AudioCodec, Arc<Clip>)>,
    stalled_until: Mutex<Option<Instant>>,
    /// GOPs that are still to be sent without parameter sets.
    pub bare_gops: AtomicU32,
    /// Added to every RTP time stamp, in milliseconds.
    jump_ms: AtomicI64,
    /// Access units sent since the program's start.
    pub frames: AtomicU64,
    /// How often the pipeline was made: once for the first client, again after the last one left.
    pub starts: AtomicU64,
}

impl Camera {
    pub fn new(
        index: usize,
        spec: VideoSpec,
        clip: Arc<Clip>,
        audio: Option<(AudioCodec, Arc<Clip>)>,
    ) -> Arc<Self> {
        Arc::new(Self {
            path: format!("/cam{index}"),
            video: Mutex::new((spec, clip)),
            audio,
            stalled_until: Mutex::new(None),
            bare_gops: AtomicU32::new(0),
            jump_ms: AtomicI64::new(0),
            frames: AtomicU64::new(0),
            starts: AtomicU64::new(0),
        })
    }

    /// What it shows now. A running feed changes over at the next key frame.
    pub fn video(&self) -> (VideoSpec, Arc<Clip>) {
        lock(&self.video).clone()
    }

    pub fn show(&self, spec: VideoSpec, clip: Arc<Clip>) {
        *lock(&self.video) = (spec, clip);
    }

    /// Sends nothing until then; RTSP and RTCP go on.
    pub fn stall(&self, until: Instant) {
        *lock(&self.stalled_until) = Some(until);
    }

    /// Moves all later RTP time stamps by `ms` from where they would be now.
    pub fn jump(&self, ms: i64) {
        self.jump_ms.fetch_add(ms, Relaxed);
    }

    pub fn is_stalled(&self) -> bool {
        lock(&self.stalled_until).is_some_and(|until| Instant::now() < until)
    }

    /// The factory to mount at [`Self::path`].
    pub fn factory(self: &Arc<Self>) -> RTSPMediaFactory {
        let factory = RTSPMediaFactory::new();
        factory.set_launch(&self.launch_line());
        factory.set_shared(true);
        factory.add_role_from_structure(
            &gst::Structure::builder(ROLE)
                .field("media.factory.access", true)
                .field("media.factory.construct", true)
                .build(),
        );
        let camera = Arc::clone(self);
        factory.connect_media_configure(move |_, media| {
            if let Err(error) = camera.configure(media) {
                eprintln!("{}: {error}", camera.path);
            }
        });
        factory
    }

    fn launch_line(&self) -> String {
        let (spec, clip) = self.video();
        let pay = match spec.codec {
            VideoCodec::H264 => "rtph264pay",
            VideoCodec::H265 => "rtph265pay",
        };
        let source = "is-live=true format=time max-bytes=0";
        let mut line = format!("( appsrc name=video {source} caps=\"{}\" ! {pay} name=pay0 pt=96", clip.caps);
        if let Some((codec, clip)) = &self.audio {
            let pay = match codec {
                AudioCodec::Aac => "rtpmp4gpay pt=97",
                AudioCodec::Pcma => "rtppcmapay pt=8",
                AudioCodec::Pcmu => "rtppcmupay pt=0",
            };
            let caps = clip.caps.replace('"', "\\\"");
            line += &format!(" appsrc name=audio {source} caps=\"{caps}\" ! {pay} name=pay1");
        }
        line + " )"
    }

    /// Prepares a fresh pipeline: the feed starts when it first asks for data.
    fn configure(self: &Arc<Self>, media: &RTSPMedia) -> Result<()> {
        self.starts.fetch_add(1, Relaxed);
        // The feed keeps the pace; sinks that waited as well would delay frames that B-frames reorder.
        media.set_rate_control(false);
        let bin: gst::Bin = media.element().downcast().map_err(|_| Error::internal("the media is no bin"))?;
        let video: AppSrc = child(&bin, "video")?;
        self.add_jump(&bin, "pay0", 90_000)?;
        let mut audio = None;
        if let Some((_, clip)) = &self.audio {
            self.add_jump(&bin, "pay1", clip.rate as i64)?;
            audio = Some(child(&bin, "audio")?);
        }
        let alive = Arc::new(AtomicBool::new(true));
        let ended = Arc::clone(&alive);
        media.connect_unprepared(move |_| ended.store(false, Relaxed));
        let mut feed = Some(Feed::new(Arc::clone(self), video.clone(), audio, alive));
        video.set_callbacks(
            AppSrcCallbacks::builder()
                .need_data(move |_, _| {
                    if let Some(feed) = feed.take() {
                        feed.spawn();
                    }
                })
                .build(),
        );
        Ok(())
    }

    /// Shifts the time stamps of the finished RTP packets: what a camera does whose clock was set.
    /// Done here and not in the buffers' time, so that pacing and RTCP's clock stay right.
    fn add_jump(self: &Arc<Self>, bin: &gst::Bin, payloader: &str, clock_rate: i64) -> Result<()> {
        let pay: gst::Element = child(bin, payloader)?;
        let pad = pay.static_pad("src").ok_or_else(|| Error::internal("a payloader without a pad"))?;
        let camera = Arc::clone(self);
        let shift = move |buffer: &mut gst::BufferRef, ticks: u32| {
            if let Ok(mut packet) = buffer.map_writable()
                && let Some(field) = packet.get_mut(4..8)
                && let Ok(stamp) = <[u8; 4]>::try_from(&*field)
            {
                field.copy_from_slice(&u32::from_be_bytes(stamp).wrapping_add(ticks).to_be_bytes());
            }
        };
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
            let ticks = (camera.jump_ms.load(Relaxed) * clock_rate / 1000) as u32;
            match info.data.as_mut().filter(|_| ticks != 0) {
                Some(gst::PadProbeData::Buffer(buffer)) => shift(buffer.make_mut(), ticks),
                Some(gst::PadProbeData::BufferList(list)) => {
                    list.make_mut().foreach_mut(|mut buffer, _| {
                        shift(buffer.make_mut(), ticks);
                        std::ops::ControlFlow::Continue(Some(buffer))
                    });
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
        Ok(())
    }
}

fn child<T: IsA<gst::Element>>(bin: &gst::Bin, name: &str) -> Result<T> {
    bin.by_name(name)
        .and_then(|element| element.downcast().ok())
        .ok_or_else(|| Error::internal(format!("no element {name:?}")))
}

/// The data is whole at any time, so a panic elsewhere does not matter here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
