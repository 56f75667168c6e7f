//! RAUC, the updater, over D-Bus (de.pengutronix.rauc.Installer, as of 1.8 to 1.15). It checks and writes
//! bundles in its own service, so an installation goes on whoever else ends.
//!
//! One connection for one order; an answer is at most what the bus lets through (a few KB).

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;
use zbus::zvariant::{DynamicType, OwnedValue, Value};
use zbus::{Connection, Message};

use super::update::{Bundle, Slot, State};
use crate::base::{Error, Result};

const NAME: &str = "de.pengutronix.rauc";
const INTERFACE: &str = "de.pengutronix.rauc.Installer";
/// For one answer; the service may have to start first. Nobody else is served meanwhile.
const PATIENCE: Duration = Duration::from_secs(8);

type Fields = HashMap<String, OwnedValue>;

/// The connection to the updater.
pub struct Rauc {
    bus: Connection,
}

impl Rauc {
    /// # Errors
    /// `Internal` without a system bus.
    pub async fn connect() -> Result<Self> {
        let bus = timeout(PATIENCE, Connection::system()).await.map_err(|_| silent())?.map_err(told)?;
        Ok(Self { bus })
    }

    /// Everything but which slots are proven. While it installs, the updater tells nothing of the slots: they
    /// are what `last` says.
    ///
    /// # Errors
    /// Those of the updater.
    pub async fn state(&self, last: &State) -> Result<State> {
        let properties: Fields = {
            let call = self.bus.call_method(
                Some(NAME),
                "/",
                Some("org.freedesktop.DBus.Properties"),
                "GetAll",
                &INTERFACE,
            );
            read(&timeout(PATIENCE, call).await.map_err(|_| silent())?.map_err(told)?)?
        };
        let installing = text(&properties, "Operation") == "installing";
        let (slots, next) =
            if installing { (last.slots.clone(), last.next.clone()) } else { self.slots().await? };
        let (percent, step) = progress(&properties);
        Ok(State {
            compatible: text(&properties, "Compatible"),
            slots,
            next,
            installing,
            percent,
            step,
            last_error: text(&properties, "LastError"),
        })
    }

    /// The slots that can be booted, and the name of the one that is next.
    async fn slots(&self) -> Result<(Vec<Slot>, String)> {
        let slots: Vec<(String, Fields)> = read(&self.call("GetSlotStatus", &()).await?)?;
        // Fails while no slot has a start left: after power cuts during three starts, each before it was found good.
        let primary: Option<String> = self.call("GetPrimary", &()).await.and_then(|reply| read(&reply)).ok();
        let next = slots.iter().find(|(id, _)| Some(id) == primary.as_ref());
        let next = next.map(|(_, fields)| text(fields, "bootname"));
        let bootable = slots.iter().filter(|(_, fields)| fields.contains_key("bootname"));
        let mut slots: Vec<_> = bootable.map(|(_, fields)| slot(fields)).collect();
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        // Then the boot script gives all their starts back, and the running one is as likely as any.
        let running = || slots.iter().find(|slot| slot.booted).map(|slot| slot.name.clone());
        let next = next.or_else(running).unwrap_or_default();
        Ok((slots, next))
    }

    /// Verifies the signature of the bundle at `path` and says what it is.
    ///
    /// # Errors
    /// Those of the updater: mostly that the signature is not one of ours.
    pub async fn info(&self, path: &Path) -> Result<Bundle> {
        let (compatible, version) = read(&self.call("Info", &shown(path)?).await?)?;
        Ok(Bundle { version, compatible })
    }

    /// Begins to install; [`Self::state`] tells how it goes.
    ///
    /// # Errors
    /// When the updater is busy.
    pub async fn install(&self, path: &Path) -> Result<()> {
        let options: HashMap<&str, Value<'_>> = HashMap::new();
        self.call("InstallBundle", &(shown(path)?, options)).await.map(drop)
    }

    /// The running slot has started well: its count of starts is full again.
    ///
    /// # Errors
    /// Those of the boot loader's tools.
    pub async fn mark_good(&self) -> Result<()> {
        self.call("Mark", &("good", "booted")).await.map(drop)
    }

    /// `slot` is started next.
    ///
    /// # Errors
    /// As [`Self::mark_good`].
    pub async fn mark_active(&self, slot: &Slot) -> Result<()> {
        let which = if slot.booted { "booted" } else { "other" };
        self.call("Mark", &("active", which)).await.map(drop)
    }

    async fn call<B: serde::Serialize + DynamicType>(&self, method: &str, body: &B) -> Result<Message> {
        let call = self.bus.call_method(Some(NAME), "/", Some(INTERFACE), method, body);
        timeout(PATIENCE, call).await.map_err(|_| silent())?.map_err(told)
    }
}

fn slot(fields: &Fields) -> Slot {
    Slot {
        name: text(fields, "bootname"),
        booted: text(fields, "state") == "booted",
        good: text(fields, "boot-status") == "good",
        version: text(fields, "bundle.version"),
        installed: text(fields, "installed.timestamp"),
        sha256: text(fields, "sha256"),
        proven: false,
    }
}

/// `(isi)`: percentage, step, depth.
fn progress(properties: &Fields) -> (u8, String) {
    let value = properties.get("Progress").and_then(|value| value.try_clone().ok());
    let progress: Option<(i32, String, i32)> = value.and_then(|value| value.try_into().ok());
    let (percent, step, _) = progress.unwrap_or_default();
    (percent.clamp(0, 100) as u8, step)
}

/// Empty where there is none.
fn text(fields: &Fields, name: &str) -> String {
    fields.get(name).and_then(|value| <&str>::try_from(value).ok()).unwrap_or_default().to_owned()
}

fn shown(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::bad_input("the path of the bundle is not UTF-8"))
}

fn read<T>(message: &Message) -> Result<T>
where
    T: for<'d> serde::Deserialize<'d> + zbus::zvariant::Type,
{
    message
        .body()
        .deserialize()
        .map_err(|error| Error::internal(format!("the updater's answer is odd: {error}")))
}

fn silent() -> Error {
    Error::timeout("the updater does not answer")
}

fn told(error: zbus::Error) -> Error {
    match error {
        zbus::Error::MethodError(_, Some(text), _) => Error::internal(format!("updater: {text}")),
        zbus::Error::MethodError(name, None, _) => Error::internal(format!("updater: {name}")),
        other => Error::internal(format!("updater: {other}")),
    }
}
