//! In place of `cluster` in a build without the feature `nodes`: a central is always alone. Boxes are built so, since
//! NATS would be a sixth of their program.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub use super::between::{Change, Login, Notice, Presence, Settings};
use crate::base::{Error, Result};

/// What other nodes would ask of this one.
pub trait Host: Send + Sync + 'static {
    fn accept(&self, opening: Value, stream: NodeStream) -> BoxFuture<'static, ()>;
}

/// There is none.
#[derive(Debug)]
pub struct NodeStream(Infallible);

impl AsyncRead for NodeStream {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for NodeStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

/// There is none.
pub struct Cluster(Infallible);

#[allow(clippy::unused_async, reason = "as the cluster has it")]
impl Cluster {
    /// # Errors
    /// `Unsupported`, always.
    pub async fn start(_: Settings, _: Arc<dyn Host>, _: CancellationToken) -> Result<Arc<Self>> {
        Err(Error::unsupported("this program was built without the feature `nodes`"))
    }

    pub fn node(&self) -> &str {
        match self.0 {}
    }

    pub async fn stopped(&self) {
        match self.0 {}
    }

    pub fn trouble(&self) -> Option<String> {
        match self.0 {}
    }

    pub async fn open(&self, _: &str, _: Value) -> Result<NodeStream> {
        match self.0 {}
    }

    pub async fn here(&self, _: &str, _: Value) -> Result<()> {
        match self.0 {}
    }

    pub async fn gone(&self, _: &str) {
        match self.0 {}
    }

    pub fn at(&self, _: &str) -> Option<Presence> {
        match self.0 {}
    }

    pub fn last(&self, _: &str) -> Option<Presence> {
        match self.0 {}
    }

    pub fn changes(&self) -> broadcast::Receiver<Change> {
        match self.0 {}
    }

    pub fn nodes(&self) -> Vec<String> {
        match self.0 {}
    }

    pub async fn publish(&self, _: &str, _: Value) -> Result<()> {
        match self.0 {}
    }

    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        match self.0 {}
    }

    pub async fn put_session(&self, _: &str, _: Bytes, _: Duration) -> Result<()> {
        match self.0 {}
    }

    pub async fn session(&self, _: &str) -> Result<Option<Bytes>> {
        match self.0 {}
    }

    pub async fn end_session(&self, _: &str) -> Result<()> {
        match self.0 {}
    }
}
