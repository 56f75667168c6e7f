//! ONVIF cameras: the address of a stream is asked for at each connection, so that a camera that was
//! given another address for its streams, or another profile, is followed.
//!
//! What the camera said last is remembered: its web service may be gone while its streams go on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::pipeline::Failure;
use crate::media::stream::OfflineReason;
use crate::onvif::media::Choice;
use crate::onvif::{self, Camera, Why};

/// How long the camera may take to say where its stream is, in all. A camera that takes longer is
/// pulled at its last address, or tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which of a camera's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// The large one, which is recorded.
    #[default]
    Main,
    /// The small one of the same lens.
    Sub,
}

/// What an ONVIF camera said last of its streams; nothing before it was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub choice: Option<Choice>,
    pub main_url: Option<String>,
    pub sub_url: Option<String>,
}

/// Where an ONVIF source's streams come from.
#[derive(Debug)]
pub struct Origin {
    camera: Arc<Camera>,
    known: Mutex<Known>,
    /// Told after each answer: the camera's certificate may be known now.
    answered: Arc<Notify>,
}

impl Origin {
    pub fn new(camera: Arc<Camera>, answered: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { camera, known: Mutex::default(), answered })
    }

    pub fn known(&self) -> Known {
        self.with(|known| known.clone())
    }

    /// The RTSP address of a profile, without credentials: as the camera says now, or where its web
    /// service does not answer, as it said last.
    pub async fn address(&self, profile: Profile) -> Result<String, Failure> {
        let asked = timeout(PATIENCE, self.ask(profile)).await;
        let failure = match asked.unwrap_or_else(|_| Err(too_slow())) {
            Ok(url) => return Ok(url),
            Err(failure) => failure,
        };
        let known = self.known();
        let last = match profile {
            Profile::Main => known.main_url,
            Profile::Sub => known.sub_url,
        };
        match (failure.why, last) {
            (Why::Unreachable | Why::NotOnvif, Some(url)) => {
                tracing::debug!("ONVIF: {failure}; trying the last known stream address");
                Ok(url)
            }
            (Why::Unsupported, _) if profile == Profile::Sub && known.choice.is_some() => {
                Err(Failure::new(OfflineReason::NotFound, failure.text))
            }
            _ => Err(failure.into()),
        }
    }

    async fn ask(&self, profile: Profile) -> Result<String, onvif::Failure> {
        let choice = self.camera.choice().await;
        self.answered.notify_one();
        let choice = choice?;
        self.with(|known| known.choice = Some(choice.clone()));
        let token = match profile {
            Profile::Main => choice.main,
            Profile::Sub => choice.sub.ok_or_else(no_sub)?,
        };
        let url = self.camera.stream_url(&token).await?;
        self.with(|known| match profile {
            Profile::Main => known.main_url = Some(url.clone()),
            Profile::Sub => known.sub_url = Some(url.clone()),
        });
        Ok(url)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Known) -> T) -> T {
        f(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn too_slow() -> onvif::Failure {
    onvif::Failure::new(Why::Unreachable, "the camera does not say in time where its stream is")
}

fn no_sub() -> onvif::Failure {
    onvif::Failure::new(Why::Unsupported, "the camera has no second profile")
}

impl From<onvif::Failure> for Failure {
    fn from(failure: onvif::Failure) -> Self {
        let reason = match failure.why {
            Why::Unreachable => OfflineReason::NoRoute,
            Why::Unauthorised => OfflineReason::Unauthorised,
            // A camera that starts answers so for a while, and should be back soon.
            Why::NotOnvif | Why::Tls | Why::Refused => OfflineReason::Refused,
            Why::Unsupported => OfflineReason::Unsupported,
        };
        Self::new(reason, failure.text)
    }
}
