//! One end of a stream as arithmetic: numbers, windows and what waits to be read. No clock, no sockets; the
//! owner (`stream`) feeds messages in and takes messages out.
//!
//! Each direction has a window of [`WINDOW`]; a message of `n` octets takes `n` + [`CHARGE`] of it until its
//! reader has read all of it, so that a peer cannot have more waiting here than that, however small its messages.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::frame::{Body, Frame};

/// What may be under way or unread in one direction, in octets (with [`CHARGE`] for each message).
pub(super) const WINDOW: u64 = 256 * 1024;

/// What a message costs beside its octets.
pub(super) const CHARGE: u64 = 512;

/// Freed space is told of in steps of this: a message back for every fourth at most.
const GRANT_STEP: u64 = WINDOW / 4;

/// Why a stream must end: the peer did not keep to the rules, or messages were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Messages were lost on the way.
    Lost,
    /// The peer sent what it must not.
    Broken,
}

/// What a message changed for the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// There is more to read.
    Data,
    /// There is more room to send.
    Room,
    /// The peer will send no more data.
    End,
    /// The peer is gone.
    Reset(String),
    /// Only that it lives.
    Alive,
}

#[derive(Debug, Default)]
pub(super) struct Flow {
    // Out.
    next_out: u32,
    sent: u64,
    granted: u64,
    // In.
    next_in: u32,
    received: u64,
    freed: u64,
    told: u64,
    ended: bool,
    unread: VecDeque<Bytes>,
}

impl Flow {
    /// Octets that the next data message may have; 0 while the window is full.
    pub fn room(&self) -> usize {
        (WINDOW - (self.sent - self.granted)).saturating_sub(CHARGE) as usize
    }

    /// The next message that says `body`. Data must not be more than [`Self::room`].
    pub fn frame(&mut self, body: Body) -> Frame {
        if let Body::Data(data) = &body {
            debug_assert!(data.len() <= self.room());
            self.sent += data.len() as u64 + CHARGE;
        }
        let number = self.next_out;
        self.next_out = number.wrapping_add(1);
        Frame { number, body }
    }

    /// Takes in a message from the peer.
    pub fn take(&mut self, frame: Frame) -> Result<Heard, Fault> {
        if frame.number != self.next_in {
            return Err(Fault::Lost);
        }
        self.next_in = frame.number.wrapping_add(1);
        match frame.body {
            Body::Data(data) => {
                self.received += data.len() as u64 + CHARGE;
                if self.ended || self.received - self.freed > WINDOW {
                    return Err(Fault::Broken);
                }
                self.unread.push_back(data);
                Ok(Heard::Data)
            }
            Body::Grant(freed) => {
                if freed < self.granted || freed > self.sent {
                    return Err(Fault::Broken);
                }
                self.granted = freed;
                Ok(Heard::Room)
            }
            Body::End if self.ended => Err(Fault::Broken),
            Body::End => {
                self.ended = true;
                Ok(Heard::End)
            }
            Body::Reset(reason) => Ok(Heard::Reset(reason)),
            Body::Alive => Ok(Heard::Alive),
        }
    }

    /// Moves unread octets into `to` and says how many.
    pub fn read(&mut self, to: &mut [u8]) -> usize {
        let mut count = 0;
        while count < to.len()
            && let Some(first) = self.unread.front_mut()
        {
            let step = first.len().min(to.len() - count);
            first.copy_to_slice(&mut to[count..count + step]);
            count += step;
            self.freed += step as u64;
            if first.is_empty() {
                self.unread.pop_front();
                self.freed += CHARGE;
            }
        }
        count
    }

    /// Throws away what was not read: nobody will.
    pub fn discard(&mut self) {
        self.freed = self.received;
        self.unread.clear();
    }

    /// Whether the peer should be told of freed space.
    pub fn owes_grant(&self) -> bool {
        !self.ended && self.freed - self.told >= GRANT_STEP
    }

    /// The message that tells of it.
    pub fn grant(&mut self) -> Frame {
        self.told = self.freed;
        self.frame(Body::Grant(self.freed))
    }

    /// Whether the peer said that no more data will come.
    pub fn ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize),
        Deliver,
        Read(usize),
        DeliverBack,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1usize..100_000).prop_map(Step::Write),
            Just(Step::Deliver),
            (1usize..100_000).prop_map(Step::Read),
            Just(Step::DeliverBack),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever the order of writing, delivering and reading: all octets arrive in order, no more than the
        /// window waits, and once everything is delivered and read there is room again.
        #[test]
        fn octets_arrive_in_order_within_the_window(steps in prop::collection::vec(step(), 1..100)) {
            let (mut from, mut to) = (Flow::default(), Flow::default());
            let (mut wire, mut back) = (VecDeque::new(), VecDeque::new());
            let (mut written, mut read) = (0u64, 0u64);
            let all = steps.into_iter().chain((0..600).flat_map(|_| [Step::Deliver, Step::Read(100_000), Step::DeliverBack]));
            for step in all {
                match step {
                    Step::Write(count) => {
                        let count = count.min(from.room());
                        if count > 0 {
                            let data: Bytes = (written..written + count as u64).map(|n| n as u8).collect();
                            written += count as u64;
                            wire.push_back(from.frame(Body::Data(data)));
                        }
                    }
                    Step::Deliver => if let Some(frame) = wire.pop_front() { to.take(frame).unwrap(); },
                    Step::Read(count) => {
                        let mut buffer = vec![0; count];
                        let count = to.read(&mut buffer);
                        for octet in &buffer[..count] {
                            prop_assert_eq!(*octet, read as u8);
                            read += 1;
                        }
                        if to.owes_grant() { back.push_back(to.grant()); }
                    }
                    Step::DeliverBack => if let Some(frame) = back.pop_front() { from.take(frame).unwrap(); },
                }
                prop_assert!(to.unread.iter().map(Bytes::len).sum::<usize>() as u64 <= WINDOW);
                prop_assert!(to.unread.len() as u64 <= WINDOW / CHARGE);
            }
            prop_assert_eq!(written, read);
            prop_assert!(from.room() as u64 >= WINDOW - GRANT_STEP - CHARGE);
        }

        /// A peer that sends anything at all cannot make us hold more than the window.
        #[test]
        fn a_peer_cannot_overfill(sizes in prop::collection::vec(1usize..70_000, 1..60)) {
            let mut flow = Flow::default();
            for (number, size) in (0..).zip(sizes) {
                let frame = Frame { number, body: Body::Data(vec![0; size].into()) };
                if flow.take(frame).is_err() {
                    break;
                }
                prop_assert!(flow.unread.iter().map(Bytes::len).sum::<usize>() as u64 <= WINDOW);
            }
        }
    }

    #[test]
    fn what_must_not_be_sent_is_a_fault() {
        let data = |number| Frame { number, body: Body::Data(Bytes::from_static(b"x")) };
        let mut flow = Flow::default();
        assert_eq!(flow.take(data(1)), Err(Fault::Lost));
        assert_eq!(flow.take(Frame { number: 0, body: Body::Grant(1) }), Err(Fault::Broken));

        let mut flow = Flow::default();
        assert_eq!(flow.take(Frame { number: 0, body: Body::End }), Ok(Heard::End));
        assert_eq!(flow.take(data(1)), Err(Fault::Broken));
        let mut flow = Flow::default();
        flow.take(Frame { number: 0, body: Body::End }).unwrap();
        assert_eq!(flow.take(Frame { number: 1, body: Body::End }), Err(Fault::Broken));
    }
}
