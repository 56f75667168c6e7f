//! Log-in sessions that all nodes share: a bucket of opaque values. Keys are hashes of the sessions' ids, so that
//! whoever can read the bucket cannot use what stands there. Nothing is kept here.

use std::time::Duration;

use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, timeout};

use super::{Cluster, locked, now_ms};
use crate::base::bytes::hex;
use crate::base::{Error, Result};

/// A session ends at the latest so long after it was put last.
pub(super) const MAX_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Octets that a session's value may have.
pub(super) const MAX_SESSION: usize = 16 * 1024;

/// So long may the servers take; a question that was lost shortly before is waited for a moment longer.
const ANSWER: Duration = Duration::from_secs(3);

/// A question that has no answer after this was lost, or has nobody who could answer it now.
const LOST: Duration = Duration::from_millis(700);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);

fn key(id: &str) -> String {
    hex(&Sha256::digest(id.as_bytes()))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::refused(format!("the nodes' sessions cannot be reached: {error}"))
}

fn late(_: tokio::time::error::Elapsed) -> Error {
    Error::timeout("the nodes' sessions cannot be reached: NATS did not answer")
}

impl Cluster {
    fn store(&self) -> Result<Store> {
        match self.shared.control.trouble() {
            Some(trouble) => Err(failed(trouble)),
            None => locked(&self.shared.buckets)
                .as_ref()
                .map(|buckets| buckets.sessions.clone())
                .ok_or_else(|| failed("its bucket is not open yet")),
        }
    }

    /// Keeps `value` (16 KB at most) as session `id` for `life`, a day at most; in place of what it was before.
    /// All nodes have it when this returns.
    pub async fn put_session(&self, id: &str, value: Bytes, life: Duration) -> Result<()> {
        if value.len() > MAX_SESSION {
            return Err(Error::bad_input(format!("session: it has more than {MAX_SESSION} octets")));
        }
        let mut entry = BytesMut::with_capacity(8 + value.len());
        entry.put_u64(now_ms().saturating_add(life.min(MAX_LIFE).as_millis() as u64));
        entry.put_slice(&value);
        let put = self.store()?;
        timeout(ANSWER, put.put(key(id), entry.freeze())).await.map_err(late)?.map_err(failed)?;
        Ok(())
    }

    /// The session's value, if it is alive. An error says that this is not known at the moment.
    pub async fn session(&self, id: &str) -> Result<Option<Bytes>> {
        let store = self.store()?;
        let entry = find(&store, &key(id)).await?;
        Ok(entry.filter(|entry| entry.len() >= 8).and_then(|mut entry| {
            let ends = entry.get_u64();
            (ends > now_ms()).then_some(entry)
        }))
    }

    /// Ends the session on all nodes.
    pub async fn end_session(&self, id: &str) -> Result<()> {
        let store = self.store()?;
        timeout(ANSWER, store.delete(key(id))).await.map_err(late)?.map_err(failed)
    }
}

/// Any server answers at once, but one may be a moment behind; so what it lacks, the leader is asked for. While
/// servers come and go a question may be lost on its way, or there is no leader: then all is asked again.
async fn find(store: &Store, key: &str) -> Result<Option<Bytes>> {
    let subject = format!("{}{key}", store.prefix);
    let asked = Instant::now();
    loop {
        let reason = match timeout(LOST, store.get(key)).await {
            Ok(Ok(Some(value))) => return Ok(Some(value)),
            Ok(Ok(None)) => {
                match timeout(LOST, store.stream.get_last_raw_message_by_subject(&subject)).await {
                    Ok(Ok(message)) => return Ok(Some(message.payload)),
                    Ok(Err(error)) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                        return Ok(None);
                    }
                    Ok(Err(error)) => failed(error),
                    Err(elapsed) => late(elapsed),
                }
            }
            Ok(Err(error)) => failed(error),
            Err(elapsed) => late(elapsed),
        };
        if asked.elapsed() >= ANSWER {
            return Err(reason);
        }
        sleep(PAUSE).await;
    }
}
