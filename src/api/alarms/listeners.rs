//! Who listens to which camera: one task for each ONVIF source.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::onvif::Camera;
use crate::onvif::events::{self, CameraEvent};
use crate::source::Sources;

/// How long all cameras together have to take our leave.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Those who listen, by the token of their source.
pub struct Listeners {
    reports: mpsc::Sender<(String, CameraEvent)>,
    all: HashMap<String, Listener>,
    tasks: TaskTracker,
}

struct Listener {
    /// A source that was changed has another.
    camera: Arc<Camera>,
    stop: CancellationToken,
}

impl Listeners {
    pub fn new(reports: mpsc::Sender<(String, CameraEvent)>) -> Self {
        Self { reports, all: HashMap::new(), tasks: TaskTracker::new() }
    }

    /// Brings them to what the sources are now.
    pub fn follow(&mut self, sources: &Sources) {
        let cameras = sources.list().into_iter().filter_map(|source| {
            let token = &source.spec.token;
            Some((token.clone(), sources.cameras.get(token)?))
        });
        let mut wanted: HashMap<String, Arc<Camera>> = cameras.collect();
        self.all.retain(|token, listener| {
            let stays = wanted.get(token).is_some_and(|camera| Arc::ptr_eq(camera, &listener.camera));
            match stays {
                true => drop(wanted.remove(token)),
                false => listener.stop.cancel(),
            }
            stays
        });
        for (token, camera) in wanted {
            let stop = CancellationToken::new();
            let (address, reports) = (camera.address.clone(), self.reports.clone());
            self.tasks.spawn(events::listen(address, token.clone(), reports, stop.clone()));
            self.all.insert(token, Listener { camera, stop });
        }
    }

    /// Returns when all have ended, or after [`FAREWELL`].
    pub async fn stop(self) {
        self.all.values().for_each(|listener| listener.stop.cancel());
        self.tasks.close();
        if tokio::time::timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            tracing::debug!("not every camera took our leave");
        }
    }
}
