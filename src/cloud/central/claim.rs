//! Edges that nobody knows yet: each shows a code to whoever stands before it, and waits here until that code is typed
//! at the central.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::{Central, Table};
use crate::base::{Error, Kind, Result};
use crate::cloud::hello::{Hello, Verdict, check_token, say};
use crate::cloud::key::code_hash;
use crate::store::SiteRow;

/// Edges that can wait at a time.
pub const MAX_WAITING: usize = 256;
/// The same from one address: a stranger may not take all places.
const MAX_FROM_ONE: usize = 64;
/// How long one may; it comes again after that.
const PATIENCE: Duration = Duration::from_secs(590);
/// Said while nothing happens, so that the edge and what lies between keep the connection.
const PING: Duration = Duration::from_secs(20);

/// An edge that waits to be claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The server token that it would like.
    pub token: String,
    pub name: String,
    pub key: String,
    pub address: IpAddr,
}

#[derive(Debug)]
pub struct Held {
    waiting: Waiting,
    claim: String,
    taken: oneshot::Sender<SiteRow>,
}

impl Central {
    /// Takes in the edge that shows `code`, as `token`, or as it would like where that is `None`; and gives its token.
    ///
    /// # Errors
    /// `NotFound` when none shows that code, `BadInput`, `Refused` when the token is in use, `Full`.
    pub async fn claim(&self, code: &str, token: Option<&str>, name: Option<&str>) -> Result<String> {
        match self.claim_here(code, token, name).await {
            Err(error) if error.kind() == Kind::NotFound => {
                self.claim_elsewhere(code, token, name).await?.ok_or(error)
            }
            claimed => claimed,
        }
    }

    /// The same, of an edge that is connected to this node.
    pub(super) async fn claim_here(
        &self,
        code: &str,
        token: Option<&str>,
        name: Option<&str>,
    ) -> Result<String> {
        let hash = code_hash(code);
        let waiting = shown(&self.lock(), &hash)?.1;
        let token = token.unwrap_or(&waiting.token);
        check_token(token)?;
        let row = self.new_row(token, name.unwrap_or(&waiting.name), &waiting.key);
        self.add(row.clone()).await?;
        let mut table = self.lock();
        // One that went meanwhile comes again, and is known then.
        if let Ok((at, _)) = shown(&table, &hash) {
            let _ = table.waiting.swap_remove(at).taken.send(row);
        }
        Ok(token.to_owned())
    }

    /// Those that wait at this node now.
    pub(super) fn waiting_here(&self) -> Vec<Waiting> {
        let table = self.lock();
        table.waiting.iter().filter(|held| !held.taken.is_closed()).map(|held| held.waiting.clone()).collect()
    }

    /// Waits until the edge is claimed.
    ///
    /// # Errors
    /// `Unauthorised` for one that shows no code, `Full`, `Timeout`.
    pub(super) async fn claimed<T>(
        &self,
        socket: &mut WebSocketStream<T>,
        address: IpAddr,
        hello: &Hello,
    ) -> Result<SiteRow>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        if hello.claim.is_empty() {
            return Err(Error::unauthorised("the central does not know this box"));
        }
        let taken = self.wait_for(hello, address)?;
        say(socket, &Verdict::Unclaimed).await?;
        let claimed = async {
            tokio::select! {
                row = taken => row.map_err(|_| Error::timeout("the claim was given up")),
                () = listen(socket) => Err(Error::timeout("the connection broke off")),
            }
        };
        timeout(PATIENCE, claimed).await.map_err(|_| Error::timeout("nobody typed the code in time"))?
    }

    fn wait_for(&self, hello: &Hello, address: IpAddr) -> Result<oneshot::Receiver<SiteRow>> {
        let mut table = self.lock();
        // One that came again takes its own place.
        table.waiting.retain(|held| !held.taken.is_closed() && held.waiting.key != hello.key);
        let from_there = table.waiting.iter().filter(|held| held.waiting.address == address).count();
        if table.waiting.len() >= MAX_WAITING || from_there >= MAX_FROM_ONE {
            return Err(Error::timeout("too many boxes wait to be claimed"));
        }
        let (taken, row) = oneshot::channel();
        let [token, name, key] = [&hello.token, &hello.name, &hello.key].map(Clone::clone);
        let waiting = Waiting { token, name, key, address };
        table.waiting.push(Held { waiting, claim: hello.claim.clone(), taken });
        Ok(row)
    }
}

/// The one edge that shows the code of this hash, and where it stands.
fn shown(table: &Table, hash: &str) -> Result<(usize, Waiting)> {
    let mut found =
        table.waiting.iter().enumerate().filter(|(_, held)| held.claim == hash && !held.taken.is_closed());
    match (found.next(), found.next()) {
        (Some((at, held)), None) => Ok((at, held.waiting.clone())),
        (Some(_), Some(_)) => Err(Error::refused("parameter code: two boxes show this code; restart both")),
        (None, _) => Err(Error::not_found("parameter code: no box that is connected now shows this code")),
    }
}

/// Returns when the connection is over, or something is said on it.
async fn listen<T: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<T>) {
    loop {
        tokio::select! {
            said = socket.next() => match said {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return,
            },
            () = sleep(PING) => {
                if socket.send(Message::Ping(Default::default())).await.is_err() {
                    return;
                }
            }
        }
    }
}
