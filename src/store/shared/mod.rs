//! The tables that several central nodes may share: users, roles, views and sites. They lie in this node's
//! SQLite file, or in a PostgreSQL database where the configuration names one. `users.rs`, `roles.rs`,
//! `views.rs` and `sites.rs` are written once for both, in the SQL that both understand: parameters are
//! `$1`, `$2` and so on, and flags are asked for as `WHERE flag`, never as `flag = 1`.
//!
//! Runs on the thread that calls. With SQLite a call holds the store's lock, with PostgreSQL one of at most
//! four connections. Memory: what a query answers, which is bounded by how many users, roles
//! and sites there may be.

#[cfg(feature = "nodes")]
mod connect;
#[cfg(feature = "nodes")]
mod link;
#[cfg(feature = "nodes")]
mod pool;
#[cfg(not(feature = "nodes"))]
#[path = "none.rs"]
mod pool;
mod sqlite;

use rusqlite::TransactionBehavior;

use super::Store;
use crate::base::{Error, Result};
pub use pool::Pool;

/// A parameter of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    /// `None`: NULL.
    Number(Option<i64>),
}

/// A column of a row; flags are numbers, not 0 when set.
#[derive(Clone, Debug)]
pub enum Cell {
    Text(String),
    Number(Option<i64>),
}

/// A row of an answer, its columns from 0.
#[derive(Clone, Debug)]
pub struct Row(Vec<Cell>);

impl Row {
    pub fn text(&self, column: usize) -> Result<String> {
        match self.0.get(column) {
            Some(Cell::Text(text)) => Ok(text.clone()),
            _ => Err(Error::internal(format!("database: column {column} is no text"))),
        }
    }

    pub fn number(&self, column: usize) -> Result<Option<i64>> {
        match self.0.get(column) {
            Some(Cell::Number(number)) => Ok(*number),
            _ => Err(Error::internal(format!("database: column {column} is no number"))),
        }
    }

    pub fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.number(column)?.is_some_and(|number| number != 0))
    }
}

/// A database that is being talked to, within a transaction or not.
pub trait Sql {
    /// How many rows it changed.
    fn execute(&self, statement: &str, values: &[Value]) -> Result<u64>;

    fn query(&self, statement: &str, values: &[Value]) -> Result<Vec<Row>>;

    fn first(&self, statement: &str, values: &[Value]) -> Result<Option<Row>> {
        Ok(self.query(statement, values)?.into_iter().next())
    }

    /// `Full` when `table` has `most` rows already.
    fn has_room(&self, table: &str, most: usize) -> Result<()> {
        let row = self.first(&format!("SELECT count(*) FROM {table}"), &[])?;
        let count = row.map_or(Ok(None), |row| row.number(0))?.unwrap_or_default();
        match usize::try_from(count).is_ok_and(|count| count >= most) {
            true => Err(Error::full(format!("there are {count} {table} already"))),
            false => Ok(()),
        }
    }
}

impl Store {
    /// Reads, or carries out one statement that may be carried out twice: after a lost connection, `work`
    /// is done a second time.
    pub(super) fn ask<T>(&self, work: impl Fn(&dyn Sql) -> Result<T>) -> Result<T> {
        match &self.shared {
            None => work(&*self.db()),
            Some(pool) => pool.ask(work),
        }
    }

    /// A change in one transaction: all of it or, after an error, nothing. One at a time is made over all
    /// nodes, so `work` may look first and then rely on what it saw.
    pub(super) fn change<T>(&self, work: impl FnOnce(&dyn Sql) -> Result<T>) -> Result<T> {
        let Some(pool) = &self.shared else {
            let mut db = self.db();
            // The lock from the beginning: a transaction that has read and then wants to write is refused at once,
            // without the patience of `busy_timeout`, when another process has written meanwhile.
            let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&*step)?;
            step.commit()?;
            return Ok(done);
        };
        pool.change(|sql| work(sql))
    }
}

#[cfg(all(test, feature = "nodes"))]
pub mod server;
#[cfg(all(test, feature = "nodes"))]
mod tests;
