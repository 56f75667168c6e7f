//! `GetHealth`: whether this daemon does its work, for `h5edge health` on the same machine. A new system is
//! kept only if it says yes (docs/update.md).

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::calls::Answer;
use super::request::{Ask, Incoming};
use crate::base::{Error, Result};

/// For the picture: a child that has to start, and elements of hardware that fail before software does it.
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module. Whoever asks from elsewhere learns nothing, not even that there is such a call.
pub async fn health(ask: Ask) -> Result<Answer> {
    if !is_here(&ask.incoming) {
        return Err(Error::not_found("unknown call GetHealth"));
    }
    let ctx = &ask.ctx;
    let database = ctx.store.run(|store| store.quick_check()).await;
    let pipeline = tokio::time::timeout(PATIENCE, ctx.snapshots.self_test()).await;
    let pipeline = pipeline.unwrap_or_else(|_| Err(Error::timeout("no picture in time")));
    let data = writable(ctx.data_dir.clone()).await;
    let parts = [("database", &database), ("pipeline", &pipeline), ("data", &data)];
    let ills: Vec<_> =
        parts.iter().filter_map(|(part, told)| Some(format!("{part}: {}", told.as_ref().err()?))).collect();
    let text = |told: &Result<()>| told.as_ref().map_or_else(ToString::to_string, |()| "good".into());
    Ok(Answer::Json(json!({
        "bStatus": ills.is_empty(),
        "strCode": if ills.is_empty() { "All is well".to_owned() } else { ills.join("; ") },
        "bDatabase": database.is_ok(),
        "strDatabase": text(&database),
        "bPipeline": pipeline.is_ok(),
        "strPipeline": text(&pipeline),
        "bData": data.is_ok(),
        "strData": text(&data),
    })))
}

/// The asker runs on this machine.
fn is_here(incoming: &Incoming) -> bool {
    incoming.peer.ip().to_canonical().is_loopback() || incoming.peer.ip() == incoming.local.ip()
}

async fn writable(dir: PathBuf) -> Result<()> {
    tokio::task::spawn_blocking(move || write(&dir))
        .await
        .map_err(|_| Error::internal("writing was given up"))?
}

fn write(dir: &Path) -> Result<()> {
    let path = dir.join(".health");
    let mut file = File::create(&path)?;
    let written = file.write_all(b"well\n").and_then(|()| file.sync_all());
    std::fs::remove_file(&path)?;
    Ok(written?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_to_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(write(Path::new("/proc")).is_err());
    }
}
