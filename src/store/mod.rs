//! The database: the only place with SQL. One SQLite file, `<data-dir>/h5edge.db`, with one file
//! here per table. A central server of several nodes has users, roles, views and sites in a PostgreSQL
//! database instead (see `shared`); everything else belongs to its node.
//!
//! Calls block, for a commit as long as the disk takes to sync (an SD card: tens of milliseconds),
//! and one lock puts them in a row. Code on a tokio thread therefore goes through [`Store::run`];
//! only start-up code calls the methods directly. Searches have a connection and a lock of their own,
//! which can only read: in WAL mode they don't wait for commits, nor commits for them. A lock is held
//! within one method and never while another is taken. Memory: SQLite's page caches, 2 MB at most
//! for each of the two.

mod alarms;
mod audit;
mod events;
mod exports;
mod footage;
mod migrate;
mod onvif_users;
mod presets;
mod roles;
mod schedules;
mod seal;
mod settings;
mod shared;
mod sites;
mod sources;
mod storage;
mod users;
mod views;

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

use crate::base::config::CloudServer;
use crate::base::{Error, Result};
pub use alarms::AlarmRow;
pub use audit::AuditRow;
pub use events::{EventRow, EventSearch};
pub use exports::{Export, ExportState};
pub use footage::{LONGEST_MS, Search};
pub use onvif_users::OnvifUser;
pub use presets::PresetAlias;
pub use roles::{NewRole, RoleRow};
pub use schedules::ScheduleRow;
use seal::Seal;
use shared::Pool;
pub use sites::{SiteRow, SiteSeen};
pub use storage::{Change, Place, Total, Written};
pub use users::User;
pub use views::ViewRow;

/// The open database and the key that its secrets are sealed with.
pub struct Store {
    db: Mutex<Connection>,
    reader: Mutex<Connection>,
    seal: Seal,
    /// Where the tables lie that nodes share; `None`: in `db`.
    shared: Option<Pool>,
}

impl Store {
    /// Opens `<data_dir>/h5edge.db`, made at the first start together with the directory, brings its
    /// tables up to date and checks them.
    ///
    /// Errors: `Unsupported` when a newer h5edge wrote the database, `Internal` when it is damaged or
    /// the disk fails.
    pub fn open(data_dir: &Path) -> Result<Arc<Self>> {
        Self::open_shared(data_dir, &CloudServer::default())
    }

    /// [`Store::open`], and the database that `settings` name, if they do.
    ///
    /// Errors: for that one, too; `Internal` or `Timeout` when it cannot be reached.
    pub fn open_shared(data_dir: &Path, settings: &CloudServer) -> Result<Arc<Self>> {
        let within = |error: Error| error.context(data_dir.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(|error| within(error.into()))?;
        let seal = Seal::open(data_dir).map_err(within)?;
        let path = data_dir.join("h5edge.db");
        let (db, reader) = (Mutex::new(connect(&path)?), Mutex::new(connect_reader(&path)?));
        let shared = (!settings.database.is_none()).then(|| Pool::open(settings)).transpose()?;
        Ok(Arc::new(Self { db, reader, seal, shared }))
    }

    /// Runs `work` on a thread that may block.
    pub async fn run<T, F>(self: &Arc<Self>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .map_err(|error| Error::internal(format!("database task: {error}")))?
    }

    /// Whether this machine's own database can be read.
    ///
    /// # Errors
    /// `Internal` when not.
    pub fn answers(&self) -> Result<()> {
        let tables: i64 = self.db().query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 { Err(Error::internal("the database is empty")) } else { Ok(()) }
    }

    /// Reads the whole database through.
    ///
    /// # Errors
    /// `Internal` when it is damaged or the disk fails.
    pub fn quick_check(&self) -> Result<()> {
        quick_check(&self.reader())
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere cannot have left a transaction half done: dropping it rolls back.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees what was committed before.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        // Readers change nothing.
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let within = |error: Error| error.context(path.display());
    // Made here because SQLite would go by the umask; its -wal and -shm files take the mode over.
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| within(error.into()))?;
    prepare(Connection::open(path)?).map_err(within)
}

/// Opened after [`connect`], which has made the database what it has to be.
fn connect_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    Ok(db)
}

fn prepare(mut db: Connection) -> Result<Connection> {
    db.busy_timeout(Duration::from_secs(5))?;
    // FULL: a change that was answered with success is still there after a power cut. In WAL mode that
    // is one sync for each commit, and commits here come from people's clicks.
    // secure_delete: what was deleted is not to be found in the file either.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;",
    )?;
    quick_check(&db)?;
    migrate::run(&mut db)?;
    Ok(db)
}

fn quick_check(db: &Connection) -> Result<()> {
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Error::internal(format!("the database is damaged: {verdict}")));
    }
    Ok(())
}

/// A column that holds one of a few names.
fn named<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let name: String = row.get(column)?;
    parse(&name).ok_or_else(|| rusqlite::Error::InvalidColumnName(format!("{column} `{name}`")))
}

#[cfg(test)]
mod tests;
