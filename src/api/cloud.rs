//! Cloud registration (manual 5.6): what an edge lets its central do ([`guest`], [`edge`]); the door of a central
//! ([`door`]), which may be one of several nodes ([`nodes`]), shows the sources of its sites ([`list`]) and
//! passes on what they are asked ([`forward`]), or what another node has to answer ([`pass`]), and what their cameras
//! report ([`reports`]); and the calls that set up both ends ([`calls`], [`settings`]).

pub mod calls;
pub mod door;
pub mod edge;
pub mod forward;
pub mod guest;
pub mod list;
pub mod nodes;
pub mod pass;
pub mod reports;
pub mod settings;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use self::guest::Guests;
use self::nodes::Nodes;
use crate::auth::Auth;
use crate::base::config::Config;
use crate::base::time::Clock;
use crate::base::{Error, Result};
use crate::cloud::central::{self, Central, Passed};
use crate::cloud::cluster::{self, Login};
use crate::cloud::edge::Edge;
use crate::cloud::key::DeviceKey;
use crate::store::Store;
use crate::system::VERSION;

/// Both ends.
pub struct Cloud {
    pub edge: Arc<Edge>,
    pub guests: Arc<Guests>,
    /// `None` where this is no central.
    pub central: Option<Arc<Central>>,
    /// `None` for a central that is alone.
    pub nodes: Option<Arc<Nodes>>,
    /// Held while the edge's settings are changed.
    changing: Mutex<()>,
}

impl Cloud {
    /// Both ends as the configuration and the database have them. Blocks.
    ///
    /// # Errors
    /// The database's, and of a device key that is damaged.
    pub fn open(
        config: &Config,
        data_dir: &Path,
        store: &Arc<Store>,
        auth: &Arc<Auth>,
        clock: Clock,
    ) -> Result<Self> {
        let uuid = store.host_id()?;
        let (settings, grant) = settings::load(&config.cloud.client, &uuid, store)?;
        let edge = Edge::new(DeviceKey::open(data_dir)?, uuid, VERSION, clock.clone(), settings);
        let guests = Guests::new(auth.clone(), grant);
        let settings = central::Settings {
            max_sites: config.cloud.server.max_sites,
            ring_bytes: config.sources.ring_bytes,
        };
        let central =
            settings::is_central(config, store)?.then(|| Central::open(settings, store.clone(), clock));
        Ok(Self { edge, guests, central: central.transpose()?, nodes: None, changing: Mutex::default() })
    }

    /// The central's end.
    ///
    /// # Errors
    /// `Unsupported` where this is no central.
    pub fn central(&self) -> Result<&Arc<Central>> {
        let text = "this box is no central server: make it one with SetCloudServer, or with [cloud.server] in its \
                    configuration";
        self.central.as_ref().ok_or_else(|| Error::unsupported(text))
    }

    /// Becomes one of several nodes, where the configuration says so. What others pass on arrives at `requests`.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub async fn join(
        &mut self,
        config: &Config,
        auth: &Arc<Auth>,
        requests: mpsc::Sender<Passed>,
        stop: CancellationToken,
    ) -> Result<()> {
        let from = &config.cloud.server;
        let Some(central) = self.central.as_ref().filter(|_| !from.nats.is_empty()) else { return Ok(()) };
        let login = match from.nats_user.is_empty() {
            true => Login::Nobody,
            false => Login::User { user: from.nats_user.clone(), password: from.nats_password.clone() },
        };
        let settings = cluster::Settings {
            servers: from.nats.clone(),
            node: from.node.clone(),
            login,
            tls: from.nats_tls,
            ca: (!from.nats_ca.as_os_str().is_empty()).then(|| from.nats_ca.clone()),
        };
        let joined = central.join(settings, requests, stop.clone()).await;
        let cluster = joined.map_err(|error| error.context("[cloud.server] nats"))?;
        let life = Duration::from_secs(config.auth.session_seconds);
        self.nodes = Some(Nodes::start(auth.clone(), cluster, life, stop));
        Ok(())
    }
}
