//! How many files and sockets the process may have open. A central has a socket for each of its sites.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::Result;

/// Raises the bound that holds as far as the system lets a process raise it by itself: mostly it begins at 1024 and may
/// be raised to 500 000. Gives the new one. Programs that this one starts inherit it.
///
/// # Errors
/// The system's.
pub fn raise_limit() -> Result<u64> {
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if now < most {
        setrlimit(Resource::RLIMIT_NOFILE, most, most).map_err(std::io::Error::from)?;
    }
    Ok(most)
}
