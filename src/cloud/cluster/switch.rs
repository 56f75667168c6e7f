//! The streams of this node: opening them to other nodes, taking those that other nodes open, and handing each
//! message to its stream.
//!
//! All streams of a node share one subscription (`h5edge.node.<name>.stream.*`), so that opening one tells the
//! servers nothing, and no message can overtake the news of a subscription. Messages go straight into the
//! streams (`stream`), which bound themselves; there is no queue here. At most [`MAX_STREAMS`] at a time.
//!
//! A stream is asked for and granted over the connections that will carry it, so that one which was granted has a
//! way in both directions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::client::{Request, RequestErrorKind};
use async_nats::{Client, Message};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::stream::{End, MAX_MESSAGE, NodeStream, run};
use super::text::{check_node, clipped};
use super::{Host, subject};
use crate::base::{Error, Kind, Result};

/// Streams that one node has open at most, opened here and elsewhere.
pub const MAX_STREAMS: usize = 4096;

/// No server is set to less than this.
const MIN_MESSAGE: usize = 1024;

/// Octets of JSON that an opening may have.
const MAX_OPENING: usize = 4096;

/// So long may the other node take to accept a stream.
const ANSWER: Duration = Duration::from_secs(3);

/// What a node asks of another one, as JSON.
#[derive(Serialize, Deserialize)]
struct Opening {
    /// The node that asks.
    from: String,
    /// The stream's name at both ends: 32 random hex digits.
    stream: String,
    opening: Value,
}

/// What the other one answers. No error: the stream is open.
#[derive(Serialize, Deserialize)]
struct Answer {
    error: Option<(Kind, String)>,
}

/// See the module.
pub(super) struct Switch {
    node: String,
    control: Connection,
    data: Connection,
    host: Arc<dyn Host>,
    stop: CancellationToken,
    streams: Mutex<HashMap<String, Arc<End>>>,
}

impl Switch {
    pub fn new(
        node: &str,
        control: Connection,
        data: Connection,
        host: Arc<dyn Host>,
        stop: CancellationToken,
    ) -> Self {
        let node = node.to_owned();
        Self { node, control, data, host, stop, streams: Mutex::default() }
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<String, Arc<End>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams are open.
    pub fn count(&self) -> usize {
        self.streams().len()
    }

    /// Why one of the two connections is not there.
    pub fn trouble(&self) -> Option<String> {
        self.control.trouble().or_else(|| self.data.trouble())
    }

    /// Hands a message to its stream; one for a stream that has ended is of no use any more.
    pub fn route(&self, message: &Message) {
        let Some((_, stream)) = message.subject.rsplit_once('.') else { return };
        let end = self.streams().get(stream).cloned();
        if let Some(end) = end {
            end.hear(&message.payload);
        }
    }

    /// Makes this node's end of stream `name` to `peer` and its task.
    fn begin(self: &Arc<Self>, peer: &str, name: &str) -> Result<Arc<End>> {
        let end = End::new(peer);
        {
            let mut streams = self.streams();
            if streams.len() >= MAX_STREAMS {
                return Err(Error::full(format!("node {} has {MAX_STREAMS} streams open", self.node)));
            }
            if streams.contains_key(name) {
                return Err(Error::bad_input("stream: it is open already"));
            }
            streams.insert(name.to_owned(), end.clone());
        }
        let (switch, task, name) = (self.clone(), end.clone(), name.to_owned());
        let to = async_nats::Subject::from(subject::stream(peer, &name));
        tokio::spawn(async move {
            let client: &Client = switch.data.client();
            let largest = MAX_MESSAGE.min(client.max_payload()).max(MIN_MESSAGE);
            let send = |message: Bytes| {
                let to = to.clone();
                async move { client.publish(to, message).await.is_ok() }
            };
            run(task, largest, switch.stop.clone(), send).await;
            switch.streams().remove(&name);
        });
        Ok(end)
    }

    /// Opens a stream to `node`, which is given `opening`.
    pub async fn open(self: &Arc<Self>, node: &str, opening: Value) -> Result<NodeStream> {
        check_node(node)?;
        if node == self.node {
            return Err(Error::bad_input(format!("node: {node} is this node itself")));
        }
        if opening.to_string().len() > MAX_OPENING {
            return Err(Error::bad_input(format!("opening: it has more than {MAX_OPENING} octets of JSON")));
        }
        if let Some(trouble) = self.trouble() {
            return Err(Error::refused(format!("node {node} cannot be reached: {trouble}")));
        }
        let name = format!("{:032x}", rand::random::<u128>());
        // Dropping it on the way out ends its task.
        let stream = NodeStream::new(self.begin(node, &name)?);
        let ask = Opening { from: self.node.clone(), stream: name, opening };
        let payload = serde_json::to_vec(&ask).map_err(|error| Error::internal(error.to_string()))?;
        let request = Request::new().payload(payload.into()).timeout(Some(ANSWER));
        match self.data.client().send_request(subject::open(node), request).await {
            Ok(message) => match serde_json::from_slice::<Answer>(&message.payload) {
                Ok(Answer { error: None }) => Ok(stream),
                Ok(Answer { error: Some((kind, text)) }) => {
                    Err(Error::new(kind, clipped(&text, 200)).context(format!("node {node}")))
                }
                Err(_) => Err(Error::bad_input(format!("node {node} gave an answer of unknown form"))),
            },
            Err(error) => Err(match error.kind() {
                RequestErrorKind::NoResponders => {
                    Error::refused(format!("there is no node {node} in the cluster"))
                }
                RequestErrorKind::TimedOut => {
                    Error::timeout(format!("node {node} did not answer within {} s", ANSWER.as_secs()))
                }
                _ => Error::refused(format!("node {node} cannot be reached: {error}")),
            }),
        }
    }

    /// Takes a stream that another node opens, tells it so, and hands the stream to the host.
    pub async fn accept(self: &Arc<Self>, message: Message) {
        let Some(reply) = message.reply else { return };
        let taken = self.take(&message.payload);
        let error = taken.as_ref().err().map(|error| (error.kind(), error.to_string()));
        let answer = serde_json::to_vec(&Answer { error }).unwrap_or_default();
        self.data.tell(reply, answer).await;
        if let Ok((opening, stream)) = taken {
            let (host, stop) = (self.host.clone(), self.stop.clone());
            tokio::spawn(async move { stop.run_until_cancelled(host.accept(opening, stream)).await });
        }
    }

    fn take(self: &Arc<Self>, payload: &[u8]) -> Result<(Value, NodeStream)> {
        // The names around the opening need less than as much again.
        if payload.len() > 2 * MAX_OPENING {
            return Err(Error::bad_input(format!("opening: it has more than {MAX_OPENING} octets of JSON")));
        }
        let Opening { from, stream, opening } = serde_json::from_slice(payload)
            .map_err(|error| Error::bad_input(format!("opening: not as expected: {error}")))?;
        check_node(&from)?;
        if stream.len() != 32 || !stream.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Error::bad_input("stream: not 32 hex digits"));
        }
        Ok((opening, NodeStream::new(self.begin(&from, &stream)?)))
    }
}
