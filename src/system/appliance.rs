//! The daemon's end of the helper's socket. Outside an appliance there is none, and every order is
//! `Unsupported`.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::answer::{self, Answered};
use super::order::{MAX_LINE, Order};
use crate::base::{Error, Result};

/// How long an order may take; the long ones (an installation) answer at once and go on.
const PATIENCE: Duration = Duration::from_secs(30);

/// The appliance that this daemon runs on, if any.
#[derive(Clone, Debug, Default)]
pub struct Appliance {
    socket: Option<PathBuf>,
}

impl Appliance {
    /// `socket` is the configuration's `appliance.helper`.
    pub fn new(socket: Option<PathBuf>) -> Self {
        Self { socket }
    }

    pub fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// Gives `order` and waits for its answer.
    ///
    /// # Errors
    /// `Unsupported` outside an appliance, `Timeout`, what the helper says, `Internal` for an answer of
    /// another shape.
    pub async fn ask<T: DeserializeOwned>(&self, order: &Order) -> Result<T> {
        let (answer, _) = self.open(order).await?;
        serde_json::from_value(answer)
            .map_err(|error| Error::internal(format!("the helper's answer is odd: {error}")))
    }

    /// Gives `order`; the answer, and the connection for what follows it.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn open(&self, order: &Order) -> Result<(serde_json::Value, BufReader<UnixStream>)> {
        let Some(socket) = &self.socket else {
            return Err(Error::unsupported("not supported: this h5edge does not run as an appliance"));
        };
        let talk = async {
            let mut line = serde_json::to_string(order)
                .map_err(|error| Error::internal(format!("the order cannot be written: {error}")))?;
            line.push('\n');
            let mut stream = BufReader::new(UnixStream::connect(socket).await?);
            stream.write_all(line.as_bytes()).await?;
            let mut text = String::new();
            (&mut stream).take(MAX_LINE as u64).read_line(&mut text).await?;
            Ok::<_, Error>((text, stream))
        };
        let (text, stream) = tokio::time::timeout(PATIENCE, talk)
            .await
            .map_err(|_| Error::timeout("the helper does not answer"))?
            .map_err(|error| error.context("helper"))?;
        match answer::read(&text)? {
            Answered::Done(answer) => Ok((answer, stream)),
            Answered::Failed(error) => Err(error),
        }
    }
}
