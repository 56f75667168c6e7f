//! Facts about the machine.

mod cpu;
mod network;
mod run;

pub use cpu::Cpu;
pub use network::{Interface, Network};
pub use run::{RunInfo, Sampler, rate_text, space_text};

/// The version that `GetSystemInfo` and `h5edge version` tell.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
