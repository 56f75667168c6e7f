//! Trying a source out that is not kept: one connection as [`super::pull`] makes it, in the task of whoever asks.
//! It ends with that task, or after [`PATIENCE`]. At most [`MAX`] at a time, each with a ring of its own of the
//! usual bound.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::onvif::Origin;
use super::pull::{self, Job};
use super::{Failure, Profile, Settings, Sources, at_profile, camera};
use crate::base::spec::{Connect, SourceSpec};
use crate::base::{Error, Result};
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::stream::{OfflineReason, Status, Stream};

pub(super) const MAX: usize = 2;
/// How long it may take until the first picture, in all.
const PATIENCE: Duration = Duration::from_secs(11);
/// Pictures are watched for so long, so that it can be told how many there are.
const MEASURE: Duration = Duration::from_secs(1);
/// No source is called so.
const TOKEN: &str = "$$trial";

/// The right to try one source out.
#[derive(Debug)]
pub struct Trial<'a> {
    sources: &'a Sources,
    _permit: SemaphorePermit<'a>,
}

impl Sources {
    /// # Errors
    /// `Full` while [`MAX`] are being tried out.
    pub fn trial(&self) -> Result<Trial<'_>> {
        let permit = self.trials.try_acquire();
        let permit = permit.map_err(|_| Error::full(format!("{MAX} sources are being tested already")))?;
        Ok(Trial { sources: self, _permit: permit })
    }
}

impl Trial<'_> {
    /// Opens the source, and leaves it when it has shown what it sends: the stream has the last picture and the
    /// parameters then, and nobody fills it any more. What `spec` says of being always connected does not count.
    ///
    /// # Errors
    /// As a source's that is offline for it.
    pub async fn run(self, spec: SourceSpec, profile: Profile) -> std::result::Result<Arc<Stream>, Failure> {
        let Sources { settings, clock, .. } = self.sources;
        let stream = Stream::new(TOKEN, Hub::new(settings.ring_bytes, DEFAULT_KEEP));
        let spec = Arc::new(SourceSpec { connect: Connect::OnDemand, ..spec });
        let job = Job {
            stream: stream.clone(),
            // Nobody is told that this camera answered: its certificate is not kept.
            origin: camera(&spec).map(|camera| Origin::new(camera, Arc::default())),
            spec: at_profile(&spec, profile),
            profile,
        };
        let settings = Settings { warm: Duration::ZERO, ..settings.clone() };
        let pulled = tokio::select! {
            pulled = timeout(PATIENCE, pull::once(job, settings, clock.clone())) => pulled,
            never = watch(&stream) => match never {},
        };
        match pulled {
            Ok(done) => done.map(|()| stream),
            // It delivers, and was slow to begin with that, or is slow to take leave.
            Err(_) if stream.status() == Status::Online => Ok(stream),
            Err(_) => {
                let text = format!("no frame for {} s", PATIENCE.as_secs());
                Err(Failure::new(OfflineReason::Stalled, text))
            }
        }
    }
}

/// Views the stream until it was online for [`MEASURE`].
async fn watch(stream: &Arc<Stream>) -> Infallible {
    let viewing = stream.view();
    // The sender lives in the stream that we hold, so this cannot fail.
    let _ = stream.watch_status().wait_for(|status| *status == Status::Online).await;
    tokio::time::sleep(MEASURE).await;
    drop(viewing);
    std::future::pending().await
}
