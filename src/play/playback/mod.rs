//! Playback of recordings (docs/protocol.md 1): a [`Feed`] reads what was recorded of a source through
//! the [`Library`](crate::media::recorded::Library) and gives it out at the pace at which a viewer
//! shows it, on one time line that starts at 0 and has no holes, whatever the viewer orders.
//!
//! ```text
//! tape (one file) ─▶ deck (which file, where) ─▶ feed (orders, pace) ─▶ line (stamps) ─▶ ws, rtc
//!        blocking threads                         the viewer's task
//! ```
//!
//! Memory per viewer: 1 MB of frames (or one frame), the index of one file (0.6 MB for 10 minutes),
//! and what its way out holds.

mod deck;
mod feed;
mod line;
mod order;
mod rtc;
mod shown;
mod tape;
mod ws;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::Error;
use crate::base::wall::{Offset, Wall};
use crate::media::recorded::Library;

pub(super) use deck::{Chunk, Deck, Found, Place};
pub use feed::{Feed, Item};
pub use order::Order;
pub use rtc::Player;
pub use shown::Pace;
pub(super) use tape::Mode;
pub use ws::serve;

/// What a viewer wants to see.
#[derive(Clone, Debug)]
pub struct Request {
    pub token: String,
    pub span: Span,
    /// Where to begin, if not at the beginning.
    pub moveto: Option<Wall>,
    /// The zone in which times are told.
    pub offset: Offset,
}

/// Which part of a source's recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    Times {
        from: Wall,
        to: Wall,
    },
    /// One file by its name.
    File(String),
}

/// All recordings, as they are handed about.
pub type Recordings = Arc<dyn Library>;

/// Tells a page where playback is (docs/protocol.md 1).
fn time_notice(at: Wall, offset: Offset) -> Value {
    json!({"type": "H5S_EVENT_PB_TIME", "pbTime": {"strTime": at.iso(offset)}})
}

/// Tells a page what went wrong while the connection stays: an order that makes no sense, or why
/// nothing follows.
fn fault_notice(error: &Error) -> Value {
    json!({"type": "H5S_EVENT_PB_FAULT", "strCode": error.to_string()})
}

#[cfg(test)]
mod tests;
