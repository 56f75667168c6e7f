//! What a [`super::Player`] plays: a recording of this box, read through a [`Feed`], or one of a site, whose edge does
//! that and sends what came of it.
//!
//! Memory: the [`Feed`]'s, or [`PIECES`] frames on their way; [`ORDERS`] orders.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;

use super::{Feed, Item, Order, Pace, Recordings, Request, fault_notice, time_notice};
use crate::base::time::MediaTime;
use crate::base::wall::Offset;
use crate::base::{Error, Result};
use crate::media::frame::Frame;
use crate::media::params::Params;
use crate::play::webrtc::b_frames;

/// Browsers show what arrives at once, so nothing is sent ahead.
const PACE: Pace = Pace { lead: MediaTime::ZERO, slack: MediaTime::from_millis(200), sound: false };
/// Frames of a site that wait here: little, so that a seek is seen soon.
const PIECES: usize = 8;
/// Orders that wait for a site.
const ORDERS: usize = 16;

/// What comes of a recording.
#[derive(Debug)]
pub enum Piece {
    /// What the following frames are decoded with; the first one.
    Params(Arc<Params>),
    /// On the viewer's line.
    Frame(Frame),
    /// What the viewer's page is to be told.
    Text(Value),
}

/// See the module.
pub struct Reel {
    pub token: String,
    pub params: Params,
    from: From,
}

enum From {
    Here {
        feed: Box<Feed>,
        offset: Offset,
    },
    Site {
        pieces: mpsc::Receiver<Result<Piece>>,
        orders: mpsc::Sender<String>,
        early: Option<VecDeque<String>>,
    },
}

/// The ends that whoever talks to a site holds. The viewer is gone when either is closed.
pub struct SiteEnds {
    pub pieces: mpsc::Sender<Result<Piece>>,
    /// The first comes when the viewer is ready; it may be empty.
    pub orders: mpsc::Receiver<String>,
}

impl Reel {
    /// # Errors
    /// As for [`Feed::open`]; `Unsupported` when WebRTC cannot carry the recording.
    pub async fn open(recordings: Recordings, request: Request) -> Result<Self> {
        let (token, offset) = (request.token.clone(), request.offset);
        let feed = Feed::open(recordings, request, PACE).await?;
        if feed.reorders() {
            return Err(b_frames());
        }
        let params = Params::clone(feed.params());
        Ok(Self { token, params, from: From::Here { feed: Box::new(feed), offset } })
    }

    /// A recording of a site that begins with these parameters.
    pub fn of_site(token: String, params: Params) -> (Self, SiteEnds) {
        let (give, pieces) = mpsc::channel(PIECES);
        let (orders, take) = mpsc::channel(ORDERS);
        let from = From::Site { pieces, orders, early: Some(VecDeque::new()) };
        (Self { token, params, from }, SiteEnds { pieces: give, orders: take })
    }

    /// What comes next, when it is time for it. Cancel-safe.
    ///
    /// # Errors
    /// Why nothing will come any more.
    pub async fn next(&mut self) -> Result<Piece> {
        match &mut self.from {
            From::Here { feed, offset } => Ok(match feed.next().await {
                Item::Params(params) => Piece::Params(params),
                Item::Frame(frame) => Piece::Frame(frame),
                Item::Time(seen) => Piece::Text(time_notice(seen, *offset)),
                Item::Fault(error) => Piece::Text(fault_notice(&error)),
            }),
            From::Site { pieces, orders, early } => {
                for order in
                    early.take().into_iter().flat_map(|early| [String::new()].into_iter().chain(early))
                {
                    // There is room: nothing was sent before, and not more is kept.
                    let _ = orders.try_send(order);
                }
                let ended = || Err(Error::timeout("the connection to the site broke off"));
                pieces.recv().await.unwrap_or_else(ended)
            }
        }
    }

    /// Does what `text` orders; what is wrong with it otherwise.
    pub fn obey(&mut self, text: &str) -> Option<Value> {
        let order = match Order::parse(text) {
            Ok(order) => order?,
            Err(error) => return Some(fault_notice(&error)),
        };
        match &mut self.from {
            From::Here { feed, .. } => feed.order(order),
            From::Site { early: Some(early), .. } if early.len() < ORDERS - 1 => {
                early.push_back(text.to_owned())
            }
            From::Site { early: None, orders, .. } if orders.try_send(text.to_owned()).is_ok() => {}
            From::Site { .. } => {
                return Some(fault_notice(&Error::full("too many orders wait for the site")));
            }
        }
        None
    }
}
