//! The probe: an element of hardware must decode (or encode) one bundled key frame before it is trusted
//! with a camera's. It runs in a child of its own, beside the one that makes pictures, so that nobody
//! waits for it: until its verdict is there, software does the work.
//!
//! At most one task at a time; it holds one child, for [`PATIENCE`] at most for each element.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::child::{Failure, Fate, Request, Worker};
use super::choice::{Choice, Recipe};
use super::inventory::{Duty, Found, Inventory};
use super::process::lock;
use super::verdicts::Verdicts;
use crate::base::time::{MediaTime, MonoTime};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::Picture;
use crate::media::params::{Params, VideoCodec, VideoParams};
use crate::media::{h264, h265, nal};

/// How long an element may take over the bundled frame; the first time, drivers load firmware.
const PATIENCE: Duration = Duration::from_secs(3);

/// One key frame each, colour bars of 640 x 480, in Annex B form. Made with
/// `ffmpeg -f lavfi -i smptebars=size=640x480:rate=25 -frames:v 1 -pix_fmt yuv420p` and
/// `-c:v libx264 -profile:v main -level 3.0 -bsf:v filter_units=remove_types=6 -f h264 probe.h264`, or
/// `-c:v libx265 -bsf:v filter_units=remove_types=39 -f hevc probe.h265`.
const H264: &[u8] = include_bytes!("assets/probe.h264");
const H265: &[u8] = include_bytes!("assets/probe.h265");

/// Starts the probes when something new was found, and keeps their verdicts.
pub(super) struct Prober {
    exe: PathBuf,
    /// Of the verdicts.
    file: Option<PathBuf>,
    choice: Arc<Mutex<Choice>>,
    shutdown: CancellationToken,
    /// The verdicts of earlier days have been read.
    is_read: bool,
    running: Option<JoinHandle<()>>,
}

impl Prober {
    pub fn new(
        exe: PathBuf,
        file: Option<PathBuf>,
        choice: Arc<Mutex<Choice>>,
        shutdown: CancellationToken,
    ) -> Self {
        Self { exe, file, choice, shutdown, is_read: false, running: None }
    }

    /// A child has said what there is.
    pub async fn found(&mut self, inventory: Inventory) {
        let gstreamer = inventory.gstreamer.clone();
        if !self.is_read {
            self.is_read = true;
            let known = self.read(gstreamer.clone()).await;
            lock(&self.choice).verdicts = known;
        }
        lock(&self.choice).set_found(inventory);
        let is_busy = self.running.as_ref().is_some_and(|running| !running.is_finished());
        if is_busy || lock(&self.choice).unprobed().is_empty() {
            return;
        }
        let (exe, file, choice) = (self.exe.clone(), self.file.clone(), self.choice.clone());
        let shutdown = self.shutdown.clone();
        self.running = Some(tokio::spawn(async move {
            shutdown.run_until_cancelled(probe_all(exe, file, gstreamer, choice)).await;
        }));
    }

    async fn read(&self, gstreamer: String) -> Verdicts {
        let Some(file) = self.file.clone() else { return Verdicts::default() };
        // A reader that panicked knows nothing.
        tokio::task::spawn_blocking(move || Verdicts::read(&file, &gstreamer)).await.unwrap_or_default()
    }
}

async fn probe_all(exe: PathBuf, file: Option<PathBuf>, gstreamer: String, choice: Arc<Mutex<Choice>>) {
    let waiting = lock(&choice).unprobed();
    for (found, recipe) in waiting {
        let verdict = match probe(&exe, &found, &recipe, &choice).await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::warn!("{} was not probed: {error}", found.element);
                continue;
            }
        };
        match &verdict {
            Ok(()) => tracing::info!("{} does {} in hardware", found.element, found.duty.as_str()),
            Err(fault) => {
                tracing::warn!("{} is not used for {}: {fault}", found.element, found.duty.as_str())
            }
        }
        lock(&choice).verdicts.set(&found, verdict);
    }
    let verdicts = lock(&choice).verdicts.clone();
    let Some(file) = file else { return };
    let written = tokio::task::spawn_blocking(move || verdicts.write(&file, &gstreamer)).await;
    if let Ok(Err(error)) = written {
        tracing::warn!("verdicts on hardware are not kept: {error}");
    }
}

/// What is wrong with the element, if anything.
///
/// # Errors
/// When that could not be found out.
async fn probe(
    exe: &std::path::Path,
    found: &Found,
    recipe: &Recipe,
    choice: &Mutex<Choice>,
) -> Result<std::result::Result<(), String>> {
    let codec = if found.duty == Duty::H265 { VideoCodec::H265 } else { VideoCodec::H264 };
    let (video, unit) = key_frame(codec)?;
    let (mut worker, _) = Worker::start(exe).await?;
    let request = Request { recipe, video: &video, unit: &unit, width: None, check_size: true };
    let outcome = worker.picture(&request, PATIENCE).await;
    let is_dead = worker.end().await;
    let Failure { fate, part, error } = match outcome {
        Ok(_) => return Ok(Ok(())),
        Err(failure) => failure,
    };
    if !is_dead {
        lock(choice).poison(&found.element);
    }
    // What another element did before its turn says nothing about an encoder.
    if found.duty == Duty::Jpeg && part.duty != Duty::Jpeg {
        return Err(error);
    }
    Ok(Err(match fate {
        Fate::Well => error.to_string(),
        Fate::Died => "its process died".into(),
        Fate::Hung => format!("no picture within {} s", PATIENCE.as_secs()),
    }))
}

/// The bundled H.264 frame as a hub's picture.
pub(super) fn picture() -> Result<Picture> {
    let (video, data) = key_frame(VideoCodec::H264)?;
    let frame = Frame {
        track: Track::Video,
        dts: MediaTime::default(),
        pts: MediaTime::default(),
        duration: MediaTime::from(Duration::from_millis(40)),
        key: true,
        data,
        arrived: MonoTime::default(),
    };
    Ok(Picture { params: Arc::new(Params { video, audio: None }), frame: Arc::new(frame), stamp: (0, 0) })
}

/// The bundled frame of that codec, as the hub would have it.
fn key_frame(codec: VideoCodec) -> Result<(VideoParams, Bytes)> {
    let clip = match codec {
        VideoCodec::H264 => H264,
        VideoCodec::H265 => H265,
    };
    let sets = |kind: u8| {
        nal::annex_b_units(clip)
            .filter(|unit| nal::unit_type(codec, unit) == Some(kind))
            .map(Bytes::from_static)
            .collect::<Vec<_>>()
    };
    let video = match codec {
        VideoCodec::H264 => h264::from_parameter_sets(sets(7), sets(8)),
        VideoCodec::H265 => h265::from_parameter_sets(sets(32), sets(33), sets(34)),
    };
    let video = video.map_err(|error| Error::internal(format!("bundled key frame: {error}")))?;
    Ok((video, nal::without_parameter_sets(codec, nal::from_annex_b(clip))))
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::*;

    #[test]
    fn the_bundled_frames_are_key_frames_of_the_size_they_say() {
        for codec in [VideoCodec::H264, VideoCodec::H265] {
            let (video, unit) = key_frame(codec).unwrap();
            assert_eq!((video.codec, video.width, video.height), (codec, 640, 480));
            assert!(nal::is_key(codec, &unit) && nal::units(&unit).count() == 1);
        }
    }

    #[test]
    fn every_software_decoder_shows_a_single_frame() {
        gstreamer::init().unwrap();
        let known = [
            ("avdec_h264", VideoCodec::H264),
            ("openh264dec", VideoCodec::H264),
            ("avdec_h265", VideoCodec::H265),
            ("libde265dec", VideoCodec::H265),
        ];
        for (element, codec) in known {
            let (video, unit) = key_frame(codec).unwrap();
            let size = Some((video.width, video.height));
            let decoded = decode(codec, element, video.config.to_vec(), unit.to_vec(), size);
            assert!(decoded.is_ok(), "{element}: {:?}", decoded.err());
        }
    }
}
