//! The Recording service.

use super::fault::Fault;
use super::site::Site;
use super::{Answer, Ask};

/// One of the service's operations.
pub async fn operation<S: Site>(_: &Ask<'_, S>, name: &str) -> Answer {
    Err(Fault::unknown(name))
}
