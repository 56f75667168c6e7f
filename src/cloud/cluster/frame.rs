//! The messages of a stream between two nodes: one kind byte, a running number of four bytes, then the body;
//! numbers are big-endian. NATS delivers a message at most once and in order, so a number that is not the next
//! one means that messages were lost, and the stream ends. No state, no tasks; `flow` keeps the numbers.

use bytes::{BufMut, Bytes, BytesMut};

use super::text::clipped;

/// Octets before the body.
pub(super) const HEAD: usize = 5;

/// Octets that a reason may have; a longer one is cut.
const MAX_REASON: usize = 200;

const DATA: u8 = 0;
const GRANT: u8 = 1;
const END: u8 = 2;
const RESET: u8 = 3;
const ALIVE: u8 = 4;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Octets of the stream, at least one.
    Data(Bytes),
    /// How much of the window the receiver has freed since the stream began, in the units of `flow`.
    Grant(u64),
    /// The sender has no more data; it still reads.
    End,
    /// The sender is gone, for this reason.
    Reset(String),
    /// Nothing but a sign of life.
    Alive,
}

/// A message with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub number: u32,
    pub body: Body,
}

impl Frame {
    pub fn encode(&self) -> Bytes {
        let (kind, size) = match &self.body {
            Body::Data(data) => (DATA, data.len()),
            Body::Grant(_) => (GRANT, 8),
            Body::End => (END, 0),
            Body::Reset(_) => (RESET, MAX_REASON),
            Body::Alive => (ALIVE, 0),
        };
        let mut message = BytesMut::with_capacity(HEAD + size);
        message.put_u8(kind);
        message.put_u32(self.number);
        match &self.body {
            Body::Data(data) => message.put_slice(data),
            Body::Grant(freed) => message.put_u64(*freed),
            Body::Reset(reason) => message.put_slice(clipped(reason, MAX_REASON).as_bytes()),
            Body::End | Body::Alive => {}
        }
        message.freeze()
    }

    /// `None` for anything that [`Self::encode`] would not have written.
    pub fn decode(message: &Bytes) -> Option<Self> {
        let (head, body) = message.split_first_chunk::<HEAD>()?;
        let number = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let body = match (head[0], body.len()) {
            (DATA, 1..) => Body::Data(message.slice(HEAD..)),
            (GRANT, 8) => Body::Grant(u64::from_be_bytes(body.try_into().ok()?)),
            (END, 0) => Body::End,
            (RESET, 0..=MAX_REASON) => Body::Reset(std::str::from_utf8(body).ok()?.to_owned()),
            (ALIVE, 0) => Body::Alive,
            _ => return None,
        };
        Some(Self { number, body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body() -> impl Strategy<Value = Body> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 1..300).prop_map(|data| Body::Data(data.into())),
            any::<u64>().prop_map(Body::Grant),
            Just(Body::End),
            "\\PC{0,60}".prop_map(|reason| Body::Reset(clipped(&reason, MAX_REASON).to_owned())),
            Just(Body::Alive),
        ]
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(number: u32, body in body()) {
            let frame = Frame { number, body };
            prop_assert_eq!(Frame::decode(&frame.encode()), Some(frame));
        }

        /// Whatever is understood would have been written just so: nothing has two spellings.
        #[test]
        fn anything_is_understood_exactly_or_refused(mut message in prop::collection::vec(any::<u8>(), 0..260), kind in 0u8..7) {
            if let Some(first) = message.first_mut() {
                *first = kind;
            }
            let message = Bytes::from(message);
            if let Some(frame) = Frame::decode(&message) {
                prop_assert_eq!(frame.encode(), message);
            }
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_letters() {
        let frame = Frame { number: 7, body: Body::Reset("é".repeat(150)) };
        assert_eq!(frame.encode().len(), HEAD + MAX_REASON);
        let odd = Frame { number: 7, body: Body::Reset(format!("a{}", "é".repeat(150))) };
        assert_eq!(Frame::decode(&odd.encode()).unwrap().body, Body::Reset(format!("a{}", "é".repeat(99))));
    }
}
