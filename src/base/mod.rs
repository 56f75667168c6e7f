//! What everything else stands on, and what stands on nothing of ours.

pub mod bytes;
pub mod config;
pub mod error;
pub mod files;
pub mod footage;
pub mod heap;
pub mod log;
pub mod pin;
pub mod secret;
pub mod spec;
pub mod time;
pub mod wall;

pub use error::{Error, Kind, Result};
