//! From the settings to the files that systemd's services read, all in `/run`: nothing of them outlasts a
//! start, and the settings stay the only truth.

pub mod names;
pub mod network;
pub mod time;
