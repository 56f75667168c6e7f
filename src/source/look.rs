//! A short look at an RTSP stream, for what a camera does not tell of it. One pipeline for as long as
//! it takes; its frames go into a ring of its own, of at most [`RING`] bytes.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::feed::Feed;
use super::pipeline::{Outlet, Report, Reporter};
use super::pull::Running;
use super::rtsp;
use crate::base::spec::SourceSpec;
use crate::base::time::Clock;
use crate::base::{Error, Result};
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::params::VideoParams;

const RING: usize = 4 << 20;
/// How often is looked whether the parameters are known.
const WATCH: Duration = Duration::from_millis(20);

/// The picture's parameters, from the stream's description or its first access unit. Of `spec` count address,
/// user and password.
///
/// # Errors
/// `Timeout` after `patience`, else as the stream's failure says.
pub async fn look(spec: SourceSpec, patience: Duration) -> Result<VideoParams> {
    let until = Instant::now() + patience;
    let (reporter, mut reports) = Reporter::new();
    let feed = Feed::new(Hub::new(RING, DEFAULT_KEEP), Clock::real());
    let outlet = Outlet { feed: feed.clone(), reporter, paced: false };
    // Over UDP nothing more could be learnt of a camera that refuses TCP than by pulling it.
    let running = Running::start(move || rtsp::build(&spec, true, outlet)).await?;
    let seen = loop {
        match timeout(WATCH, reports.recv()).await {
            Ok(Some(Report::Failed(failure))) => break Err(Error::refused(failure.text)),
            Ok(Some(Report::Ended) | None) => break Err(Error::refused("the stream ended")),
            Err(_) => {}
        }
        match feed.picture() {
            Some(params) => break Ok(params),
            None if Instant::now() >= until => break Err(Error::timeout("no picture in time")),
            None => {}
        }
    };
    // In the background: a camera may be slow to take leave.
    drop(running);
    seen
}
