//! The shared tables in PostgreSQL.
//!
//! Callers block, as with SQLite; a thread of its own drives the sockets. At most [`CONNECTIONS`] of them are
//! open, and who finds all in use waits at most [`PATIENCE`], as for every step: getting a connection, each
//! statement. A connection that was closed, by a restart of the server for instance, is replaced by a new
//! one, and what only read is done again, once. Changes are not: nobody knows how far one came.
//!
//! Changes hold PostgreSQL's advisory lock [`LOCK`] from their beginning to their end. That puts those of all
//! nodes in a row, as the mutex does with SQLite, and is why limits, the last administrator and the first
//! user need no more care here than there. They come from people's clicks, so nobody waits for long.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::Semaphore;
use tokio_postgres::Client;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connect::Address;
use super::link::{Link, State, late, unreachable};
use super::{Sql, Value};
use crate::base::config::CloudServer;
use crate::base::{Error, Result};
use crate::store::migrate;

/// Connections that a node has at most.
pub const CONNECTIONS: usize = 4;
/// For each step.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// "h5edge" in ASCII. Programs that use the same database must not take it.
const LOCK: i64 = 0x6835_6564_6765;

const MIGRATIONS: &[&str] = &[include_str!("../migrations/postgres/0001_start.sql")];

/// The connections to one database.
pub struct Pool {
    address: Address,
    idle: Mutex<Vec<Client>>,
    turns: Semaphore,
    /// Of the thread that drives the sockets.
    driver: Handle,
    /// Ends that thread.
    _stop: DropGuard,
}

impl Pool {
    /// Connects and brings the tables up to date, which of several nodes one does.
    ///
    /// # Errors
    /// `BadInput` for a bad `database_ca`; `Internal` or `Timeout` when the database cannot be reached;
    /// `Unsupported` when a newer h5edge made its tables.
    pub fn open(settings: &CloudServer) -> Result<Self> {
        let address = Address::new(settings)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (driver, stop) = (runtime.handle().clone(), CancellationToken::new());
        let ends = stop.clone();
        thread::Builder::new().name("shared-db".into()).spawn(move || runtime.block_on(ends.cancelled()))?;
        let (idle, turns) = (Mutex::default(), Semaphore::new(CONNECTIONS));
        let pool = Self { address, idle, turns, driver, _stop: stop.drop_guard() };
        pool.change(bring_up_to_date)?;
        Ok(pool)
    }

    /// See [`crate::store::Store`]'s `ask`.
    pub fn ask<T>(&self, work: impl Fn(&dyn Sql) -> Result<T>) -> Result<T> {
        self.twice(|link| work(link)).map(|(_, done)| done)
    }

    /// See [`crate::store::Store`]'s `change`.
    pub fn change<T>(&self, work: impl FnOnce(&Link) -> Result<T>) -> Result<T> {
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({LOCK})");
        let (link, ()) = self.twice(|link| link.batch(&begin).inspect_err(|_| link.undo()))?;
        let done = work(&link).inspect_err(|_| link.undo())?;
        link.batch("COMMIT").map_err(|error| match link.state() {
            State::Good => error,
            _ => Error::new(error.kind(), format!("{error}; look whether the change was made")),
        })?;
        Ok(done)
    }

    /// Does `work`, and again on a new connection if the one it had turns out to be closed.
    fn twice<T>(&self, work: impl Fn(&Link) -> Result<T>) -> Result<(Link<'_>, T)> {
        let link = self.link()?;
        let done = work(&link);
        if link.state() != State::Closed {
            return done.map(|done| (link, done));
        }
        drop(link);
        // They are of the same age.
        self.idle().clear();
        let link = self.link()?;
        let done = work(&link)?;
        Ok((link, done))
    }

    fn link(&self) -> Result<Link<'_>> {
        let busy = |_| Error::timeout("the shared database cannot be reached: all connections are in use");
        let closed = |_| Error::internal("the shared database is closed");
        let turn = self.wait(self.turns.acquire()).map_err(busy)?.map_err(closed)?;
        let kept = std::iter::from_fn(|| self.idle().pop()).find(|client| !client.is_closed());
        let client = match kept {
            Some(client) => client,
            None => self.connect().inspect_err(|error| tracing::warn!(%error, "log-ins and changes fail"))?,
        };
        Ok(Link::new(self, client, turn))
    }

    fn connect(&self) -> Result<Client> {
        self.wait(self.address.dial()).map_err(|_| late())?.map_err(|error| unreachable(&*error))
    }

    /// Connections that are ready to be used.
    pub fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until `work` is done or [`PATIENCE`] is over. Also on a thread of tokio's, as at start-up.
    pub fn wait<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> std::result::Result<T, tokio::time::error::Elapsed> {
        let _driven_there = self.driver.enter();
        // Not counted as work of the task that may run here: a task that has worked too much is to go back
        // to its scheduler, which it cannot while it is blocked.
        let mut work = pin!(tokio::task::unconstrained(tokio::time::timeout(PATIENCE, work)));
        let waker = Arc::new(Blocked(thread::current())).into();
        let mut context = Context::from_waker(&waker);
        loop {
            match work.as_mut().poll(&mut context) {
                Poll::Ready(done) => return done,
                Poll::Pending => thread::park(),
            }
        }
    }
}

struct Blocked(Thread);

impl Wake for Blocked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The migrations of PostgreSQL, numbered like those of SQLite and apart from them.
fn bring_up_to_date(link: &Link) -> Result<()> {
    link.batch(
        "CREATE TABLE IF NOT EXISTS h5edge_version (version BIGINT NOT NULL);
         INSERT INTO h5edge_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM h5edge_version)",
    )?;
    let row = link.first("SELECT version FROM h5edge_version", &[])?;
    let version = row.map_or(Ok(None), |row| row.number(0))?.unwrap_or_default();
    let version = u32::try_from(version).unwrap_or(u32::MAX);
    let within = |error: Error| error.context("the shared database");
    let missing = migrate::missing(MIGRATIONS, version).map_err(within)?;
    for (number, migration) in (version + 1..).zip(missing) {
        link.batch(migration).map_err(|error| error.context(format!("migration {number}")))?;
        link.execute("UPDATE h5edge_version SET version = $1", &[Value::Number(Some(number.into()))])?;
    }
    Ok(())
}
