//! Restart, power-off, factory reset, the journal, and how worn the disks are.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::calls::Answer;
use super::request::Ask;
use crate::base::{Error, Result};
use crate::system::maintenance::MAX_JOURNAL;
use crate::system::order::Order;
use crate::system::wear::{self, Disk, Volume};

/// What the journal's newest lines are without a number.
const LINES: u32 = 5000;

/// `Reboot`: the answer comes first, then systemd stops the daemon, which closes its recordings.
pub async fn reboot(ask: Ask) -> Result<Answer> {
    order(&ask, &Order::Reboot, "Restarting").await
}

/// `PowerOff`
pub async fn power_off(ask: Ask) -> Result<Answer> {
    order(&ask, &Order::PowerOff, "Powering off").await
}

/// `FactoryReset`: whoever finds an open session must not be able to.
pub async fn factory_reset(ask: Ask) -> Result<Answer> {
    let session = ask.session.as_ref();
    let session = session.ok_or_else(|| Error::refused("FactoryReset needs a session: log in first"))?;
    if !ask.ctx.appliance.is_there() {
        return Err(Error::unsupported("not supported: this h5edge does not run as an appliance"));
    }
    ask.ctx.auth.confirm(session, ask.require("password")?).await?;
    order(&ask, &Order::FactoryReset, "Everything is reset with the restart that begins now").await
}

async fn order(ask: &Ask, order: &Order, text: &str) -> Result<Answer> {
    ask.ctx.appliance.ask::<()>(order).await?;
    let by = ask.session.as_ref().map_or("nobody", |session| &session.user);
    tracing::warn!(by, "{order:?}");
    Ok(Answer::done(text))
}

/// `GetLog`. Read whole before it is sent: the helper serves one at a time, and must not wait for a slow
/// client.
pub async fn log(ask: Ask) -> Result<Answer> {
    let lines = ask.get("lines").and_then(|lines| lines.parse().ok()).unwrap_or(LINES);
    let _turn =
        ask.ctx.journal.try_lock().map_err(|_| Error::refused("the journal is being read, try again"))?;
    let (_, rest) = ask.ctx.appliance.open(&Order::Journal { lines }).await?;
    let mut text = Vec::new();
    rest.take(MAX_JOURNAL).read_to_end(&mut text).await?;
    Ok(Answer::Text { name: "h5edge.log", text: Bytes::from(text) })
}

/// `GetStorageHealth`
pub async fn storage_health(ask: Ask) -> Result<Answer> {
    let dir = ask.ctx.data_dir.clone();
    let read = tokio::task::spawn_blocking(move || {
        Ok::<_, Error>((wear::disks(Path::new("/sys/block")), wear::volume(&dir)?))
    });
    let (disks, volume) = read.await.map_err(|_| Error::internal("reading the disks was given up"))??;
    Ok(Answer::Json(health_fields(&disks, volume)))
}

fn health_fields(disks: &[Disk], volume: Volume) -> Value {
    let disk = |disk: &Disk| {
        json!({
            "strName": disk.name,
            "strModel": disk.model,
            "nBytes": disk.bytes,
            "nBytesWritten": disk.written,
            "nLifeUsedPercent": disk.life_used,
            "strPreEol": disk.pre_eol,
        })
    };
    json!({
        "devices": disks.iter().map(disk).collect::<Vec<_>>(),
        "data": { "nBytes": volume.bytes, "nFree": volume.free, "bReadOnly": volume.read_only },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_tell_its_life_has_none() {
        let disk = Disk { name: "sda".into(), bytes: 1, written: 2, ..Disk::default() };
        let fields = health_fields(&[disk], Volume { bytes: 9, free: 4, read_only: true });
        let expected = json!({
            "devices": [{
                "strName": "sda",
                "strModel": "",
                "nBytes": 1,
                "nBytesWritten": 2,
                "nLifeUsedPercent": null,
                "strPreEol": "",
            }],
            "data": { "nBytes": 9, "nFree": 4, "bReadOnly": true },
        });
        assert_eq!(fields, expected);
    }
}
