//! What systemd is told to do with a unit.

use std::time::Duration;

use super::root::Root;
use crate::base::Result;

/// systemctl and networkctl only pass an order on.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Says `verb` (`start`, `restart`, `try-restart`, `stop`) and does not wait for it to be done: at boot, what
/// the unit waits for may be us.
///
/// # Errors
/// Those of systemctl.
pub fn tell(root: &Root, verb: &str, unit: &str) -> Result<()> {
    root.run("systemctl", &["--no-block", verb, unit], PATIENCE).map(|_| ())
}
