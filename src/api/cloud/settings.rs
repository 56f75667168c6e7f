//! How this box stands to a central, and whether it is one: as the configuration says, until an Administrator says
//! otherwise. That is kept in the database, the password encrypted.
//!
//! One task ([`forget_password`]) for as long as the daemon lives.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::guest::Grant;
use crate::api::Context;
use crate::api::setup::hostname;
use crate::base::config::{CloudClient as Client, Config};
use crate::base::secret::Secret;
use crate::base::{Error, Result};
use crate::cloud::edge::{Settings, State};
use crate::store::Store;

/// Where it is kept.
const CLIENT: &str = "cloud/client";
const PASSWORD: &str = "cloud/password";
const CENTRAL: &str = "cloud/central";

/// What SetCloudInfo kept, but for the password.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    enabled: bool,
    name: String,
    token: String,
    host: String,
    port: u16,
    tls: bool,
    pin: Option<String>,
    user: String,
    keepalive: u64,
    grant: String,
}

/// How it stands to its central, and what that may do here. Blocks.
///
/// # Errors
/// The database's.
pub fn load(config: &Client, uuid: &str, store: &Store) -> Result<(Settings, Grant)> {
    let Some(text) = store.setting(CLIENT)? else { return Ok(configured(config, uuid)) };
    // Nothing else is ever put there; a box that does not start cannot be mended from afar.
    let Ok(kept) = serde_json::from_str::<Kept>(&text) else {
        tracing::error!("{CLIENT} in the database cannot be read; the configuration's is used");
        return Ok(configured(config, uuid));
    };
    let password = store.secret_setting(PASSWORD).unwrap_or_else(|error| {
        tracing::error!("the password for the central: {error}");
        None
    });
    let settings = Settings {
        enabled: kept.enabled,
        name: kept.name,
        token: kept.token,
        host: kept.host,
        port: kept.port,
        tls: kept.tls,
        pin: kept.pin,
        user: kept.user,
        password: password.unwrap_or_default(),
        keepalive: Duration::from_secs(kept.keepalive),
    };
    Ok((settings, Grant::parse(&kept.grant).unwrap_or_default()))
}

fn configured(from: &Client, uuid: &str) -> (Settings, Grant) {
    let or = |text: &str, default: String| if text.is_empty() { default } else { text.to_owned() };
    let settings = Settings {
        enabled: from.enabled,
        name: or(&from.name, hostname()),
        token: or(&from.token, uuid.to_owned()),
        host: from.host.clone(),
        port: from.port,
        tls: from.tls,
        pin: (!from.pin.is_empty()).then(|| from.pin.clone()),
        user: from.user.clone(),
        password: from.password.clone(),
        keepalive: Duration::from_secs(from.keepalive_seconds),
    };
    (settings, Grant::parse(&from.grant).unwrap_or_default())
}

/// Keeps it; from then on the configuration's does not count.
///
/// # Errors
/// The database's.
pub async fn keep(store: &Arc<Store>, settings: &Settings, grant: Grant) -> Result<()> {
    let Settings { enabled, name, token, host, port, tls, pin, user, password, keepalive } = settings.clone();
    let (keepalive, grant) = (keepalive.as_secs(), grant.as_str().to_owned());
    let kept = Kept { enabled, name, token, host, port, tls, pin, user, keepalive, grant };
    let text = serde_json::to_string(&kept).map_err(|e| Error::internal(e.to_string()))?;
    let write = move |store: &Store| {
        keep_password(store, &password)?;
        store.put_setting(CLIENT, &text)
    };
    store.run(write).await
}

fn keep_password(store: &Store, password: &Secret) -> Result<()> {
    match password.is_empty() {
        true => store.delete_setting(PASSWORD),
        false => store.put_secret_setting(PASSWORD, password),
    }
}

/// Forgets the password of a user of the central as soon as it served: from then on the key of this box counts.
pub async fn forget_password(ctx: Arc<Context>) {
    let edge = &ctx.cloud.edge;
    let mut states = edge.watch_state();
    loop {
        let settings = edge.settings();
        let online = matches!(*states.borrow_and_update(), State::Online { .. });
        if online && !settings.password.is_empty() {
            let _changing = ctx.cloud.changing.lock().await;
            // Not one that was given meanwhile.
            if edge.settings() == settings {
                edge.forget_password();
                if let Err(error) = ctx.store.run(|store| store.delete_setting(PASSWORD)).await {
                    tracing::error!("the password for the central was not forgotten: {error}");
                }
            }
        }
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            () = ctx.shutdown.cancelled() => return,
        }
    }
}

/// Whether this box is to be a central. Blocks.
///
/// # Errors
/// The database's.
pub fn is_central(config: &Config, store: &Store) -> Result<bool> {
    Ok(store.setting(CENTRAL)?.map_or(config.cloud.server.enabled, |kept| kept == "true"))
}

/// Keeps whether it is to be one, from the next start on.
///
/// # Errors
/// The database's.
pub async fn keep_central(store: &Arc<Store>, enabled: bool) -> Result<()> {
    store.run(move |store| store.put_setting(CENTRAL, if enabled { "true" } else { "false" })).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_counts_from_then_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let config =
            Client { host: "a.example".into(), password: Secret::new("hunter2"), ..Client::default() };
        let (mut settings, grant) = load(&config, "uuid-1", &store).unwrap();
        assert_eq!((&*settings.host, &*settings.token, grant), ("a.example", "uuid-1", Grant::Playback));
        assert_eq!(settings.name, hostname());
        settings.host = "b.example".into();
        settings.pin = Some("0".repeat(64));
        keep(&store, &settings, Grant::Control).await.unwrap();
        assert_eq!(load(&config, "uuid-1", &store).unwrap(), (settings.clone(), Grant::Control));
        let text = store.setting(CLIENT).unwrap().unwrap() + &store.setting(PASSWORD).unwrap().unwrap();
        assert!(!text.contains("hunter2"));
        settings.password = Secret::default();
        keep(&store, &settings, Grant::Control).await.unwrap();
        assert_eq!(store.setting(PASSWORD).unwrap(), None);
        store.put_setting(CLIENT, "junk").unwrap();
        assert_eq!(load(&config, "uuid-1", &store).unwrap().0.host, "a.example");
    }

    #[tokio::test]
    async fn a_box_is_made_a_central_without_a_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let (store, config) = (Store::open(dir.path()).unwrap(), Config::default());
        assert!(!is_central(&config, &store).unwrap());
        keep_central(&store, true).await.unwrap();
        assert!(is_central(&config, &store).unwrap());
        keep_central(&store, false).await.unwrap();
        assert!(!is_central(&config, &store).unwrap());
    }
}
