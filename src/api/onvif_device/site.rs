//! What the device shows of this machine: the [`Site`] of `onvif::device`.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use super::facts::{self, Facts};
use crate::auth::throttle::Throttle;
use crate::base::config::{self, Config};
use crate::base::time::Clock;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::recorded::{Library, Piece};
use crate::onvif::Camera;
use crate::onvif::device::capabilities::MAX_USER;
use crate::onvif::device::{Channel, Identity, Interface, Level, Network, Outcome, Site, Span, User};
use crate::source::{Profile, Source, Sources};
use crate::store::{OnvifUser, Store};
use crate::system::{self, identity};

/// Settings under which the switch is kept.
const DEVICE: &str = "onvif/device";
const DISCOVERY: &str = "onvif/discovery";

/// Files whose times are no further apart are one recording.
const JOIN_MS: i64 = 1000;

/// Where our servers listen.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub http: SocketAddr,
    pub https: Option<u16>,
    pub rtsp: u16,
}

/// What of the device is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    pub device: bool,
    pub discovery: bool,
}

/// This machine, as the device shows it.
pub struct Edge {
    pub ports: Ports,
    pub(super) facts: Facts,
    sources: Arc<Sources>,
    recordings: Arc<dyn Library>,
    clock: Clock,
    config: config::Onvif,
    /// Serial number, and the UUID that clients know the device by.
    serial: String,
    endpoint: String,
    switch: watch::Sender<Switch>,
    /// As in the database.
    users: RwLock<Vec<User>>,
    throttle: Mutex<Throttle>,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("ports", &self.ports).finish_non_exhaustive()
    }
}

impl Edge {
    /// Reads what is kept in the database. Blocks, for start-up.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(
        store: &Store,
        config: &Config,
        sources: Arc<Sources>,
        recordings: Arc<dyn Library>,
        clock: Clock,
        ports: Ports,
    ) -> Result<Arc<Self>> {
        let kept = |key: &str, first: bool| -> Result<bool> {
            Ok(store.setting(key)?.map_or(first, |value| value == "true"))
        };
        let switch = Switch {
            device: kept(DEVICE, config.onvif.device)?,
            discovery: kept(DISCOVERY, config.onvif.discovery)?,
        };
        let (serial, endpoint) = match identity::device_id(&config.appliance) {
            // Outlives the database, which a factory reset deletes.
            Some(id) => (id.clone(), identity::endpoint(&id).to_string()),
            None => (store.host_id()?, store.host_id()?),
        };
        let auth = &config.auth;
        let seconds = Duration::from_secs;
        Ok(Arc::new(Self {
            ports,
            facts: Facts::default(),
            sources,
            recordings,
            clock,
            config: config.onvif.clone(),
            serial,
            endpoint: format!("urn:uuid:{endpoint}"),
            switch: watch::Sender::new(switch),
            users: RwLock::new(users(store.onvif_users()?)),
            throttle: Mutex::new(Throttle::new(
                auth.login_attempts,
                seconds(auth.login_window_seconds),
                seconds(auth.lock_seconds),
            )),
        }))
    }

    pub fn switch(&self) -> Switch {
        *self.switch.borrow()
    }

    pub fn watch_switch(&self) -> watch::Receiver<Switch> {
        self.switch.subscribe()
    }

    /// Keeps the switch; it holds at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_switch(&self, store: &Arc<Store>, switch: Switch) -> Result<()> {
        store
            .run(move |store| {
                store.put_setting(DEVICE, &switch.device.to_string())?;
                store.put_setting(DISCOVERY, &switch.discovery.to_string())
            })
            .await?;
        self.switch.send_replace(switch);
        Ok(())
    }

    /// Makes `change` in the database, and has it hold.
    ///
    /// # Errors
    /// As `change`, or when the database fails.
    pub async fn change_users<F>(&self, store: &Arc<Store>, change: F) -> Result<()>
    where
        F: FnOnce(&Store) -> Result<()> + Send + 'static,
    {
        let rows = store
            .run(move |store| {
                change(store)?;
                store.onvif_users()
            })
            .await?;
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = users(rows);
        Ok(())
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channel(&self, source: &Source) -> Channel {
        let seen = self.facts.get(&source.spec.token);
        // Where its camera was not reached since the start: as it was before.
        let has_sub = source.has_sub().unwrap_or(seen.has_sub);
        Channel {
            source: source.spec.token.clone(),
            name: source.spec.name.clone(),
            main: seen.main.or_else(|| facts::glance(&source.stream)),
            sub: has_sub.then(|| seen.sub.or_else(|| facts::glance(source.shown(Profile::Sub)))),
            ptz: seen.ptz,
        }
    }
}

fn users(rows: Vec<OnvifUser>) -> Vec<User> {
    let user = |row: OnvifUser| match Level::parse(&row.level) {
        Some(level) => Some(User { name: row.name, password: row.password, level }),
        None => {
            let error = Error::internal(format!("unknown level {}", row.level));
            tracing::error!(user = row.name, "ONVIF user: {error}");
            None
        }
    };
    rows.into_iter().filter_map(user).collect()
}

/// Files become the spans that they cover together.
fn joined(pieces: Vec<Piece>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for piece in pieces {
        match spans.last_mut() {
            Some(last) if piece.start <= last.end.plus_millis(JOIN_MS) => {
                last.end = last.end.max(piece.end);
                last.open |= piece.open;
            }
            _ => spans.push(Span { start: piece.start, end: piece.end, open: piece.open }),
        }
    }
    spans
}

impl Site for Edge {
    fn identity(&self) -> Identity {
        Identity {
            manufacturer: "h5edge".into(),
            model: self.config.hardware.clone(),
            firmware: system::VERSION.into(),
            serial: self.serial.clone(),
            hardware: self.config.hardware.clone(),
            name: self.config.name.clone(),
            location: self.config.location.clone(),
            endpoint: self.endpoint.clone(),
        }
    }

    fn channels(&self) -> Vec<Channel> {
        self.sources.list().iter().map(|source| self.channel(source)).collect()
    }

    fn camera(&self, source: &str) -> Option<Arc<Camera>> {
        self.sources.cameras.get(source)
    }

    fn users(&self) -> Vec<User> {
        self.users.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn may_try(&self, peer: IpAddr, user: &str) -> bool {
        // No user has a longer name, and counters are kept by it.
        user.len() <= MAX_USER && self.throttle().begin(self.clock.mono(), peer, user).locked_for.is_none()
    }

    fn tried(&self, peer: IpAddr, user: &str, outcome: Outcome) {
        match outcome {
            Outcome::Right => self.throttle().succeeded(self.clock.mono(), peer, user),
            Outcome::Undecided => self.throttle().forgive(peer, user),
        }
    }

    async fn network(&self) -> Network {
        // Fails only when the daemon stops.
        let read = tokio::task::spawn_blocking(system::Network::read).await.unwrap_or_default();
        let interface = |known: system::Interface| Interface {
            name: known.name,
            mac: known.mac,
            mtu: known.mtu,
            up: known.up,
            addresses: known.addresses,
        };
        Network {
            hostname: read.hostname,
            interfaces: read.interfaces.into_iter().map(interface).collect(),
            dns: read.dns,
            search_domains: read.search_domains,
            gateways: read.gateways,
            http: self.ports.http.port(),
            https: self.ports.https,
            rtsp: self.ports.rtsp,
        }
    }

    async fn recorded(&self, source: &str, from: Wall, to: Wall) -> Vec<Span> {
        let (recordings, token) = (self.recordings.clone(), source.to_owned());
        let read = tokio::task::spawn_blocking(move || recordings.pieces(&token, from, to)).await;
        match read {
            Ok(Ok(pieces)) => joined(pieces),
            Ok(Err(error)) => {
                tracing::error!(source, "recordings for ONVIF: {error}");
                Vec::new()
            }
            // The daemon stops.
            Err(_) => Vec::new(),
        }
    }

    fn rtsp_port(&self) -> u16 {
        self.ports.rtsp
    }

    fn discoverable(&self) -> bool {
        let switch = self.switch();
        switch.device && switch.discovery
    }

    fn h265_as_h264(&self) -> bool {
        self.config.h265_as_h264
    }
}
