//! In place of `pool` in a build without the feature `nodes`: there is only the database of this node.

use std::convert::Infallible;

use super::Sql;
use crate::base::config::CloudServer;
use crate::base::{Error, Result};

/// There is none.
pub struct Pool(Infallible);

impl Pool {
    /// # Errors
    /// `Unsupported`, always.
    pub fn open(_: &CloudServer) -> Result<Self> {
        Err(Error::unsupported("[cloud.server] database: this program was built without the feature `nodes`"))
    }

    pub fn ask<T>(&self, _: impl Fn(&dyn Sql) -> Result<T>) -> Result<T> {
        match self.0 {}
    }

    pub fn change<T>(&self, _: impl FnOnce(&dyn Sql) -> Result<T>) -> Result<T> {
        match self.0 {}
    }
}
