//! h5edge: pulls IP cameras once and shows them to any number of browsers, speaking the h5stream
//! HTTP API.
//!
//! Media flows one way: a source pushes frames into its [`media::hub::Hub`], and each way out
//! ([`play`]) reads them from there. The folders and what may import what are listed in
//! `docs/architecture.md`, and `tests/layers.rs` keeps them so.

pub mod api;
pub mod auth;
pub mod base;
pub mod cloud;
pub mod media;
pub mod onvif;
pub mod play;
pub mod record;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod system;
