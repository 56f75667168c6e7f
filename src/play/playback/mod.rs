//! Playback of recordings (docs/protocol.md 1): a [`Feed`] reads what was recorded of a source through
//! the [`Library`](crate::media::recorded::Library) and gives it out at the pace at which a viewer
//! shows it, on one time line that starts at 0 and has no holes, whatever the viewer orders.
//!
//! ```text
//! tape (one file) ─▶ deck (which file, where) ─▶ feed (orders, pace) ─▶ line (stamps) ─▶ ws, reel ─▶ rtc
//!        blocking threads                         the viewer's task
//! ```
//!
//! A [`Reel`] may also be fed by a site: then what stands left of it runs at the edge.
//!
//! Memory per viewer: 1 MB of frames (or one frame), the index of one file (0.6 MB for 10 minutes),
//! and what its way out holds.

mod deck;
mod feed;
mod line;
mod order;
mod reel;
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
pub use reel::{Piece, Reel, SiteEnds};
pub use rtc::Player;
pub use shown::{Pace, Seen};
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
fn time_notice(seen: Seen, offset: Offset) -> Value {
    let Seen { recorded, line } = seen;
    let line = line.to_duration().as_millis() as u64;
    let time = json!({"strTime": recorded.iso(offset), "nTime": recorded.0, "nMediaTime": line});
    json!({"type": "H5S_EVENT_PB_TIME", "pbTime": time})
}

/// Tells a page what went wrong while the connection stays: an order that makes no sense, or why
/// nothing follows.
fn fault_notice(error: &Error) -> Value {
    json!({"type": "H5S_EVENT_PB_FAULT", "strCode": error.to_string()})
}

#[cfg(test)]
mod tests;
