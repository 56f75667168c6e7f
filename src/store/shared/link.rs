//! A connection to the shared database while it is in use, and what its errors mean to us.

use std::cell::Cell as Slot;
use std::error::Error as StdError;
use std::future::Future;
use std::thread;

use tokio::sync::SemaphorePermit;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error as PgError};

use super::pool::Pool;
use super::{Cell, Row, Sql, Value};
use crate::base::{Error, Result};

const UNREACHABLE: &str = "the shared database cannot be reached";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Good,
    /// The other end has closed it.
    Closed,
    /// It did not answer in time, or may be in the middle of something.
    Unclear,
}

/// It goes back to the idle ones only when it is as good as new.
pub struct Link<'a> {
    pool: &'a Pool,
    /// There until this is dropped.
    client: Option<Client>,
    state: Slot<State>,
    _turn: SemaphorePermit<'a>,
}

impl<'a> Link<'a> {
    pub fn new(pool: &'a Pool, client: Client, turn: SemaphorePermit<'a>) -> Self {
        Self { pool, client: Some(client), state: Slot::new(State::Good), _turn: turn }
    }

    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Statements without parameters, one after the other.
    pub fn batch(&self, statements: &str) -> Result<()> {
        self.carried_out(self.client()?.batch_execute(statements))
    }

    /// Ends a transaction that is to leave nothing behind.
    pub fn undo(&self) {
        if self.state() == State::Good && self.batch("ROLLBACK").is_err() {
            self.state.set(State::Unclear);
        }
    }

    fn client(&self) -> Result<&Client> {
        self.client.as_ref().ok_or_else(|| Error::internal(UNREACHABLE))
    }

    fn carried_out<T>(&self, work: impl Future<Output = std::result::Result<T, PgError>>) -> Result<T> {
        let (state, error) = match self.pool.wait(work) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => told(&error),
            Err(_) => (State::Unclear, late()),
        };
        if state != State::Good {
            tracing::warn!(%error, "a connection to the shared database is given up");
            self.state.set(state);
        }
        Err(error)
    }
}

impl Drop for Link<'_> {
    fn drop(&mut self) {
        // A panic may have left a transaction open.
        if self.state() == State::Good && !thread::panicking() {
            self.pool.idle().extend(self.client.take());
        }
    }
}

impl Sql for Link<'_> {
    fn execute(&self, statement: &str, values: &[Value]) -> Result<u64> {
        self.carried_out(self.client()?.execute_typed(statement, &bound(values)))
    }

    fn query(&self, statement: &str, values: &[Value]) -> Result<Vec<Row>> {
        let rows = self.carried_out(self.client()?.query_typed(statement, &bound(values)))?;
        let read = |row| Ok(Row(cells(row)?));
        rows.iter().map(read).collect()
    }
}

/// With their types said, a statement takes one round trip instead of two.
fn bound<'a>(values: &'a [Value<'a>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    let bind = |value: &'a Value<'a>| -> (&'a (dyn ToSql + Sync), Type) {
        match value {
            Value::Text(text) => (text, Type::TEXT),
            Value::Flag(flag) => (flag, Type::BOOL),
            Value::Number(number) => (number, Type::INT8),
        }
    };
    values.iter().map(bind).collect()
}

fn cells(row: &tokio_postgres::Row) -> Result<Vec<Cell>> {
    (0..row.len()).map(|column| cell(row, column)).collect()
}

fn cell(row: &tokio_postgres::Row, column: usize) -> Result<Cell> {
    let wrong = |error: PgError| Error::internal(format!("shared database: {error}"));
    match *row.columns()[column].type_() {
        Type::BOOL => {
            let flag: Option<bool> = row.try_get(column).map_err(wrong)?;
            Ok(Cell::Number(flag.map(i64::from)))
        }
        Type::INT8 => row.try_get(column).map(Cell::Number).map_err(wrong),
        _ => row.try_get(column).map(Cell::Text).map_err(wrong),
    }
}

/// In what state `error` leaves its connection, and what people are told. Never PostgreSQL's details, which
/// quote values. Codes: PostgreSQL manual, appendix A.
fn told(error: &PgError) -> (State, Error) {
    let Some(reason) = error.as_db_error() else {
        let closed = error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>());
        return match closed {
            true => (State::Closed, unreachable(error)),
            false => (State::Unclear, Error::internal(format!("shared database: {}", reasons(error)))),
        };
    };
    let text = reason.message();
    match reason.code().code() {
        // It is being stopped, or is not up yet.
        "57P01" | "57P02" | "57P03" => (State::Closed, unreachable(error)),
        "57014" => (State::Good, late()),
        // Text that it cannot hold.
        code if code.starts_with("22") => (State::Good, Error::bad_input(format!("shared database: {text}"))),
        _ => (State::Good, Error::internal(format!("shared database: {text}"))),
    }
}

pub fn late() -> Error {
    Error::timeout(format!("{UNREACHABLE}: no answer in time"))
}

pub fn unreachable(error: &(dyn StdError + 'static)) -> Error {
    Error::internal(format!("{UNREACHABLE}: {}", reasons(error)))
}

/// `error` and what led to it.
fn reasons(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
