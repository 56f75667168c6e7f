//! What the server shows, and which of it a path names.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Streams, Users};
use crate::media::stream::Stream;
use crate::play::playback::Recordings;

/// What all parts of a running server work on.
pub struct Site {
    pub streams: Streams,
    pub users: Users,
    pub recordings: Recordings,
    pub runtime: Handle,
    /// Ends the server.
    pub shutdown: CancellationToken,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/live/<token>`, `/live/<token>$$sub`
    Live(String),
    /// `/replay/<token>`
    Replay(String),
}

impl Place {
    /// From a path as the client wrote it. The one character of tokens that some encode is `$`.
    pub fn parse(path: &str) -> Option<Self> {
        let (folder, token) = path.strip_prefix('/')?.split_once('/')?;
        let token = token.replace("%24", "$");
        if token.is_empty() || token.contains('/') {
            return None;
        }
        match folder {
            "live" => Some(Self::Live(token)),
            "replay" => Some(Self::Replay(token)),
            _ => None,
        }
    }
}

impl Site {
    pub fn stream(&self, token: &str) -> Option<Arc<Stream>> {
        (self.streams)(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_streams_and_recordings() {
        assert_eq!(Place::parse("/live/cam"), Some(Place::Live("cam".into())));
        assert_eq!(Place::parse("/live/cam$$sub"), Some(Place::Live("cam$$sub".into())));
        assert_eq!(Place::parse("/live/cam%24%24sub"), Some(Place::Live("cam$$sub".into())));
        assert_eq!(Place::parse("/replay/cam"), Some(Place::Replay("cam".into())));
        for other in ["", "/", "/live", "/live/", "/live/a/b", "/cam", "/other/cam", "live/cam"] {
            assert_eq!(Place::parse(other), None, "{other}");
        }
    }
}
