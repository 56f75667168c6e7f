//! Facts about the machine; and, on a box, what may be changed of it: orders to a small helper that runs
//! as root (docs/decisions/0010-appliance.md).

mod administration;
mod answer;
pub mod appliance;
mod boot;
pub mod bundle;
pub mod check;
pub mod clock;
mod cpu;
pub mod fetch;
pub mod health;
mod heat;
pub mod helper;
pub mod identity;
pub mod inbox;
mod machine;
pub mod maintenance;
mod network;
pub mod notify;
pub mod order;
pub mod ports;
mod proven;
mod published;
mod rauc;
pub mod release;
mod render;
mod root;
mod run;
mod settings;
pub mod ssh;
pub mod steward;
mod trial;
mod units;
pub mod update;
pub mod wear;
pub mod wifi;

pub use appliance::Appliance;
pub use cpu::Cpu;
pub use heat::Temperature;
pub use network::{Interface, Network};
pub use run::{RunInfo, Sampler, rate_text, space_text};

/// The version that `GetSystemInfo` and `h5edge version` tell.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What it was built from: a commit's hash, `-dirty` behind it where files differed; or `unknown`.
pub const BUILD: &str = env!("H5EDGE_BUILD");
/// Both, as `h5edge version` prints them.
pub const VERSION_AND_BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("H5EDGE_BUILD"), ")");
