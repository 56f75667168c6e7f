//! One viewer: its str0m instance, its place in the ring, its pace. Driven by the engine task; no
//! socket, no clock, no task of its own.
//!
//! Memory: about 2 MB in str0m at most (packets kept for resending, which share their bytes with all
//! viewers of the stream), and one frame that is partly sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{Mid, Pt};
use str0m::net::Protocol;
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::cut::{Cuts, Payload};
use super::negotiate::Negotiated;
use super::pace::{Pace, Stamps};
use super::wire::Wire;
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::{self, Cursor, Hub};
use crate::media::params::Params;
use crate::media::stream::Viewing;

/// Picture loss reports this soon after a replay began are about what that replay repairs.
const REPLAY_REST: Duration = Duration::from_millis(500);
/// A viewer that has not connected by then never will.
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// A viewer further behind gives up what it has not got once a newer key frame is there.
const MAX_LAG: MediaTime = MediaTime::from_secs(1);
/// Timers are no finer than this, the grain of tokio's; so one that is due again at once cannot spin.
const TICK: Duration = Duration::from_millis(1);
/// Packets written before str0m is drained.
const WRITE_AT_ONCE: usize = 64;
/// A connected viewer that is silent for so long is gone. Browsers send receiver reports every second
/// and connectivity checks every few.
const SILENCE: Duration = Duration::from_secs(10);
/// Addresses remembered per session; browsers try a handful.
const MAX_PEERS: usize = 8;

/// What a session is made of.
pub struct Start {
    pub negotiated: Negotiated,
    pub viewing: Viewing,
    pub params: Arc<Params>,
    pub cursor: Cursor,
    pub permit: OwnedSemaphorePermit,
    /// Told why the session ended, unless its owner closed it.
    pub ended: oneshot::Sender<Error>,
    /// Of a recording: told when the viewer is connected. Such a session goes on with its stream when
    /// the parameters change.
    pub connected: Option<oneshot::Sender<()>>,
}

/// A frame on its way out.
struct Sending {
    payloads: Arc<[Payload]>,
    next: usize,
    stamp: u32,
}

/// See the module's header.
pub struct Session {
    viewing: Viewing,
    params: Arc<Params>,
    /// The parameters shown now: of a later epoch where [`Session::follows`].
    shown: Arc<Params>,
    follows: bool,
    /// Told once.
    tell_connected: Option<oneshot::Sender<()>>,
    /// Addresses whose packets were ours, newest last; the engine's map has the same.
    peers: VecDeque<(Protocol, SocketAddr)>,
    /// When [`Session::timeout`] must be called; the engine's timer list has the same.
    pub deadline: Instant,
    rtc: Rtc,
    mid: Mid,
    pt: Pt,
    cursor: Cursor,
    pace: Pace,
    stamps: Stamps,
    seq: u64,
    sending: Option<Sending>,
    connected: bool,
    /// Frames behind the live edge are being sent; their timestamps are squeezed.
    replaying: bool,
    replayed_at: Option<Instant>,
    rtc_deadline: Instant,
    /// The session ends then, unless the viewer is heard before.
    alive_until: Instant,
    ended: Option<oneshot::Sender<Error>>,
    _permit: OwnedSemaphorePermit,
}

/// Whether the stream's frames are reordered for output, which WebRTC's H.264 and H.265 decoders
/// do not expect (they show frames in the order they come).
pub fn has_b_frames(frame: &Frame) -> bool {
    frame.track == Track::Video && frame.pts != frame.dts
}

impl Session {
    pub fn new(start: Start, now: Instant) -> Self {
        let Negotiated { rtc, mid, pt } = start.negotiated;
        Self {
            viewing: start.viewing,
            shown: start.params.clone(),
            params: start.params,
            follows: start.connected.is_some(),
            tell_connected: start.connected,
            peers: VecDeque::new(),
            deadline: now,
            rtc,
            mid,
            pt,
            cursor: start.cursor,
            pace: Pace::new(now),
            stamps: Stamps::new(rand::random()),
            // The low 15 bits: a wrap within the first packets would confuse SRTP's rollover count.
            seq: u64::from(rand::random::<u16>() >> 1),
            sending: None,
            connected: false,
            replaying: false,
            replayed_at: None,
            rtc_deadline: now,
            alive_until: now + CONNECT_TIME,
            ended: Some(start.ended),
            _permit: start.permit,
        }
    }

    /// The hub it reads from.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.viewing.stream.hub
    }

    /// The parameters of the epoch it began with.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// The local part of the user name in this session's STUN requests.
    pub fn ufrag(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Whether the packet is meant for this session, by its password or a known address.
    pub fn accepts(&self, input: &Input<'_>) -> bool {
        self.rtc.accepts(input)
    }

    /// Notes an address that speaks for this session. Gives one back that must be forgotten for it.
    pub fn remember(&mut self, peer: (Protocol, SocketAddr)) -> Option<(Protocol, SocketAddr)> {
        self.peers.push_back(peer);
        if self.peers.len() > MAX_PEERS { self.peers.pop_front() } else { None }
    }

    /// Addresses that were remembered.
    pub fn peers(&self) -> impl Iterator<Item = &(Protocol, SocketAddr)> {
        self.peers.iter()
    }

    /// Takes in a packet or the time.
    ///
    /// # Errors
    /// Why the session is over.
    pub fn input(&mut self, input: Input<'_>, now: Instant, cuts: &mut Cuts, wire: &mut Wire) -> Result<()> {
        if now >= self.alive_until {
            return Err(Error::timeout(match self.connected {
                true => format!("viewer silent for {} s", SILENCE.as_secs()),
                false => format!("viewer did not connect in {} s", CONNECT_TIME.as_secs()),
            }));
        }
        if self.connected && matches!(input, Input::Receive(..)) {
            self.alive_until = now + SILENCE;
        }
        self.rtc.handle_input(input).map_err(broken)?;
        self.drain(now, wire)?;
        self.advance(now, cuts, wire)
    }

    /// Takes in candidates of the viewer.
    ///
    /// # Errors
    /// Why the session is over.
    pub fn candidates(
        &mut self,
        candidates: Vec<Candidate>,
        now: Instant,
        cuts: &mut Cuts,
        wire: &mut Wire,
    ) -> Result<()> {
        for candidate in candidates {
            self.rtc.add_remote_candidate(candidate);
            self.drain(now, wire)?;
        }
        self.advance(now, cuts, wire)
    }

    /// Sends what the ring has and the pace allows.
    ///
    /// # Errors
    /// Why the session is over.
    pub fn advance(&mut self, now: Instant, cuts: &mut Cuts, wire: &mut Wire) -> Result<()> {
        while self.connected && self.write(now, cuts)? {
            self.rtc.handle_input(Input::Timeout(now)).map_err(broken)?;
            self.drain(now, wire)?;
        }
        self.deadline = self.rtc_deadline.min(self.alive_until);
        if self.connected && !self.pace.allows(now) {
            self.deadline = self.deadline.min(self.pace.resume_at());
        }
        self.deadline = self.deadline.max(now + TICK);
        Ok(())
    }

    /// Says goodbye to the viewer and tells the owner why, if it was not the owner's wish.
    pub fn close(mut self, why: Option<Error>, now: Instant, wire: &mut Wire) {
        if self.rtc.close().is_ok() {
            // Only what is queued goes out; whatever fails now has no one to matter to.
            let _ = self.drain(now, wire);
        }
        if let (Some(ended), Some(why)) = (self.ended.take(), why) {
            let _ = ended.send(why);
        }
    }

    fn drain(&mut self, now: Instant, wire: &mut Wire) -> Result<()> {
        loop {
            match self.rtc.poll_output().map_err(broken)? {
                Output::Transmit(packet) => wire.transmit(packet),
                Output::Timeout(at) => {
                    self.rtc_deadline = at;
                    return Ok(());
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    if let Some(tell) = self.tell_connected.take() {
                        // Whoever asked may have gone.
                        let _ = tell.send(());
                    }
                    self.alive_until = now + SILENCE;
                    self.replay(now);
                }
                Output::Event(Event::KeyframeRequest(_)) => self.replay(now),
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => {
                    return Err(Error::timeout("viewer stopped answering"));
                }
                Output::Event(Event::Closed) => return Err(Error::refused("viewer closed the connection")),
                Output::Event(_) => {}
            }
        }
    }

    /// Starts over at the newest key frame, unless that was just done.
    fn replay(&mut self, now: Instant) {
        let rests = self.replayed_at.is_some_and(|at| now.saturating_duration_since(at) < REPLAY_REST);
        if self.replaying || rests {
            return;
        }
        self.replaying = true;
        self.replayed_at = Some(now);
        self.sending = None;
        self.cursor.skip_to_newest_key();
    }

    /// Writes some packets; `false` when there is none to write now.
    fn write(&mut self, now: Instant, cuts: &mut Cuts) -> Result<bool> {
        let mut wrote = 0;
        while wrote < WRITE_AT_ONCE && self.pace.allows(now) {
            if self.sending.is_none() {
                self.sending = self.next_frame(cuts)?;
            }
            let Some(sending) = &mut self.sending else { break };
            let Some(payload) = sending.payloads.get(sending.next) else {
                self.sending = None;
                continue;
            };
            sending.next += 1;
            let packet = RtpWrite::new(self.pt, self.seq.into(), sending.stamp, now, payload.data.clone());
            let mut api = self.rtc.direct_api();
            let Some(stream) = api.stream_tx_by_mid(self.mid, None) else {
                return Err(Error::internal("WebRTC: the session has no video stream"));
            };
            stream.write_rtp(packet.marker(payload.marker).nackable(true));
            self.pace.spend(payload.data.len());
            self.seq += 1;
            wrote += 1;
        }
        Ok(wrote > 0)
    }

    /// The epoch is over: takes the next one where that is wanted and the viewer can decode it.
    fn follow(&mut self) -> Result<()> {
        let next = if self.follows { self.hub().cursor(hub::Start::NewestKey) } else { None };
        let fits = |params: &Params| params.video.codec == self.shown.video.codec;
        let (params, cursor) = next
            .filter(|(params, _)| fits(params))
            .ok_or_else(|| Error::not_found("the source went away"))?;
        (self.shown, self.cursor) = (params, cursor);
        Ok(())
    }

    fn next_frame(&mut self, cuts: &mut Cuts) -> Result<Option<Sending>> {
        loop {
            let (frame, lag) = match self.cursor.poll() {
                Some(hub::Event::Frame { frame, lag }) => (frame, lag),
                Some(hub::Event::Skipped) => {
                    self.replaying = true;
                    continue;
                }
                Some(hub::Event::Ended) => {
                    self.follow()?;
                    continue;
                }
                None => {
                    self.replaying = false;
                    return Ok(None);
                }
            };
            if frame.track != Track::Video {
                continue;
            }
            if has_b_frames(&frame) {
                return Err(b_frames());
            }
            if lag > MAX_LAG && self.cursor.newer_key().is_some() {
                self.replaying = true;
                self.cursor.skip_to_newest_key();
                continue;
            }
            let edge = if self.replaying { self.cursor.edge() } else { None };
            let stamp = self.stamps.stamp(frame.dts, edge);
            return Ok(Some(Sending { payloads: cuts.get(&self.shown.video, &frame), next: 0, stamp }));
        }
    }
}

fn broken(error: RtcError) -> Error {
    Error::bad_input(format!("WebRTC: {error}"))
}

/// What a viewer of a stream with B-frames is told.
pub fn b_frames() -> Error {
    Error::unsupported("the stream has B-frames, which WebRTC cannot carry")
}
