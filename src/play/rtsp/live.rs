//! Live streams: the media behind `/live/<token>`, one pipeline per client, fed from the hub.
//!
//! One pipeline per client and not one for all, so that each begins at the newest key frame at once and
//! none waits for a slow one; the frames themselves are shared (docs/decisions/0009-rtsp.md has the
//! figures). A task per client reads the hub's ring and pushes into the pipeline's entrance, which holds
//! at most [`ENTRANCE`] bytes, give or take a frame; a client that is later than [`MAX_LAG`] gives up
//! frames where a newer key frame is there. When the stream's epoch ends, so does the connection, and
//! the client comes back to the new one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::{AppSrc, AppSrcCallbacks, AppStreamType};
use gstreamer_rtsp_server::{RTSPClient, RTSPContext};
use tokio::sync::Notify;

use super::door::Door;
use super::elements::{add_chain, audio_caps, audio_payloader, buffer, push, video_caps, video_payloader};
use super::line::Line;
use super::site::Site;
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::{Cursor, Event, Start};
use crate::media::params::Params;
use crate::media::stream::{Stream, Viewing};

/// Bytes that may wait in a pipeline's entrance.
const ENTRANCE: u64 = 256 << 10;
/// Sound that may wait, where a client does not fetch it.
const SOUND: u64 = 64 << 10;
/// See the module.
const MAX_LAG: MediaTime = MediaTime::from_millis(1500);
/// How long a source may take to come up.
const START_PATIENCE: Duration = Duration::from_secs(9);
/// How often a client that takes nothing is looked after.
const LOOK: Duration = Duration::from_millis(500);

/// Waits until the stream runs. Blocks; for a client's own thread.
///
/// # Errors
/// Why it does not.
pub fn wait_for(site: &Site, stream: &Arc<Stream>) -> Result<(Viewing, Arc<Params>, Cursor)> {
    let viewing = stream.view();
    let started = async {
        tokio::select! {
            started = viewing.cursor(Start::NewestKey, START_PATIENCE) => started,
            () = site.shutdown.cancelled() => Err(Error::refused("the server stops")),
        }
    };
    let (params, cursor) = site.runtime.block_on(started)?;
    Ok((viewing, params, cursor))
}

/// The elements of one client's pipeline, payloaders named as the server wants them. The feeding begins
/// when the pipeline asks for it.
///
/// # Errors
/// Why there is nothing to show.
pub fn element(site: &Arc<Site>, stream: &Arc<Stream>) -> Result<gst::Element> {
    let (viewing, params, cursor) = wait_for(site, stream)?;
    let bin = gst::Bin::new();
    let video = entrance(&video_caps(&params.video));
    let payloader = video_payloader(params.video.codec)?;
    payloader.set_property("name", "pay0");
    add_chain(&bin, &[video.upcast_ref(), &payloader])?;
    let audio = match &params.audio {
        Some(audio) => {
            let source = entrance(&audio_caps(audio));
            let payloader = audio_payloader()?;
            payloader.set_property("name", "pay1");
            add_chain(&bin, &[source.upcast_ref(), &payloader])?;
            Some(source)
        }
        None => None,
    };
    let client =
        RTSPContext::with_current_context(|context| context.client().map(|c| c.downgrade())).flatten();
    let hungry = Arc::new(Notify::new());
    let feed =
        Feed { viewing, cursor, video: video.clone(), audio, hungry: hungry.clone(), client, line: None };
    let waiting = Mutex::new(Some((feed, site.clone())));
    video.set_callbacks(
        AppSrcCallbacks::builder()
            .need_data(move |_, _| {
                let first = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
                match first {
                    Some((feed, site)) => drop(site.runtime.spawn(feed.run(site.shutdown.clone()))),
                    None => hungry.notify_one(),
                }
            })
            .build(),
    );
    Ok(bin.upcast())
}

fn entrance(caps: &gst::Caps) -> AppSrc {
    AppSrc::builder()
        .caps(caps)
        .is_live(true)
        .format(gst::Format::Time)
        .stream_type(AppStreamType::Stream)
        .max_bytes(ENTRANCE)
        .build()
}

/// What one client is given.
struct Feed {
    viewing: Viewing,
    cursor: Cursor,
    video: AppSrc,
    audio: Option<AppSrc>,
    /// Told when the entrance is empty.
    hungry: Arc<Notify>,
    client: Option<glib::WeakRef<RTSPClient>>,
    line: Option<Line>,
}

impl Feed {
    async fn run(mut self, shutdown: tokio_util::sync::CancellationToken) {
        let over = tokio::select! {
            over = self.feed() => over,
            () = shutdown.cancelled() => true,
        };
        if over {
            for source in self.audio.iter().chain([&self.video]) {
                // Fails where the pipeline is gone, which is the end as well.
                let _ = source.end_of_stream();
            }
            if let Some(client) = self.client.as_ref().and_then(glib::WeakRef::upgrade) {
                Door::see_out(&client);
            }
        }
    }

    /// `true` when the stream is over, `false` when the client is gone.
    async fn feed(&mut self) -> bool {
        loop {
            if !self.room().await {
                return true;
            }
            match self.cursor.next().await {
                Event::Frame { frame, lag } => {
                    let skip = lag > MAX_LAG
                        && self.line.is_some_and(|line| !line.is_burst(frame.dts))
                        && self.cursor.newer_key().is_some();
                    if skip {
                        self.cursor.skip_to_newest_key();
                    } else if !self.give(&frame, lag) {
                        return false;
                    }
                }
                Event::Skipped => {}
                Event::Ended => return true,
            }
        }
    }

    /// Waits until the entrance has room; `false` if the epoch ends before.
    async fn room(&self) -> bool {
        while self.video.current_level_bytes() > ENTRANCE {
            // It may have been said before the look; and of a pipeline that is gone nothing is heard.
            let _ = tokio::time::timeout(LOOK, self.hungry.notified()).await;
            if self.viewing.stream.hub.params().is_none() {
                return false;
            }
        }
        true
    }

    /// Whether the pipeline took it.
    fn give(&mut self, frame: &Frame, lag: MediaTime) -> bool {
        let now = || self.video.current_running_time().unwrap_or_default();
        let line = *self.line.get_or_insert_with(|| Line::new(frame.dts, frame.dts + lag, now()));
        let source = match (frame.track, &self.audio) {
            (Track::Video, _) => &self.video,
            (Track::Audio, Some(audio)) => audio,
            (Track::Audio, None) => return true,
        };
        let unwanted = line.is_burst(frame.dts) || source.current_level_bytes() > SOUND;
        if frame.track == Track::Audio && unwanted {
            return true;
        }
        push(source, buffer(frame.data.clone(), line.place(frame.pts), line.place(frame.dts), frame.key))
    }
}
