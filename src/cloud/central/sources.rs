//! What an edge says of its sources: it tells the whole list when it is asked and whenever that changes, one line of
//! JSON each time, and between these what its cameras report (docs/protocol.md 6).
//!
//! Runs in the task of the edge's connection. Memory: one line of at most [`MAX_LIST`] bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::reports::Meter;
use super::{Asker, Central};
use crate::base::{Error, Result};

/// Where an edge tells it.
pub const PATH: &str = "/cloud/sources";
/// The parameter that asks for reports as well.
pub const REPORTS: &str = "reports";
/// Longest list: 256 sources of 2 KB, and room to grow.
const MAX_LIST: usize = 1 << 20;
/// How long it may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the edge is left alone after it said something wrong.
const REST: Duration = Duration::from_secs(5);
/// How much of the list is read at once: each site that is connected keeps a buffer of that size.
const PIECE: usize = 1 << 10;

/// Keeps the list of a connected site. Returns never; it is dropped with the connection.
pub async fn follow(central: &Central, site: &str) {
    loop {
        if let Err(error) = listen(central, site).await {
            tracing::debug!(site, "the list of sources: {error}");
        }
        sleep(REST).await;
    }
}

async fn listen(central: &Central, site: &str) -> Result<()> {
    let request = Request::get(format!("{PATH}?{REPORTS}=true"))
        .body(Full::default())
        .map_err(|e| Error::internal(e.to_string()))?;
    let (asker, mut http) = (Asker::central(), http1::Builder::new());
    http.read_buf_exact_size(Some(PIECE));
    let answer = timeout(PATIENCE, central.send_by(&http, site, &asker, request)).await;
    let answer = answer.map_err(|_| Error::timeout("no answer"))??;
    if !answer.status().is_success() {
        return Err(Error::refused(format!("HTTP {}", answer.status())));
    }
    let mut body = answer.into_body();
    let (mut line, mut meter) = (BytesMut::new(), Meter::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::timeout(error.to_string()))?;
        let mut data = frame.into_data().unwrap_or_else(|_| Bytes::new());
        while let Some(end) = data.iter().position(|&byte| byte == b'\n') {
            line.extend_from_slice(&data.split_to(end + 1));
            let unfit = |_| Error::bad_input("what it says is no JSON");
            match serde_json::from_slice(&line.split()).map_err(unfit)? {
                Value::Array(sources) => central.told(site, sources).await?,
                report => central.reported(site, &report, &mut meter).await,
            }
        }
        line.extend_from_slice(&data);
        if line.len() > MAX_LIST {
            return Err(Error::bad_input("the list of sources is too long"));
        }
    }
    Ok(())
}

impl Central {
    async fn told(&self, token: &str, sources: Vec<Value>) -> Result<()> {
        let unfit = |_| Error::bad_input("the list of sources is not one");
        let text = serde_json::to_string(&sources).map_err(unfit)?;
        let lasting = {
            let mut table = self.lock();
            let Some(site) = table.sites.get_mut(token) else { return Ok(()) };
            // What is kept must outlive a restart and is what other nodes know.
            let names = |list: &[Value]| -> Vec<[Value; 3]> {
                let fields = ["strToken", "strName", "bOnline"];
                list.iter().map(|source| fields.map(|field| source[field].clone())).collect()
            };
            site.unsaved |= names(&site.sources) != names(&sources);
            site.sources = Arc::new(sources);
            site.unsaved
        };
        self.tell(token);
        if lasting {
            let key = token.to_owned();
            let written = self.store.run(move |store| store.set_site_sources(&key, &text)).await;
            written.inspect_err(|error| {
                tracing::warn!(site = token, "its list of sources is not written yet: {error}");
            })?;
            if let Some(site) = self.lock().sites.get_mut(token) {
                site.unsaved = false;
            }
            self.publish(token).await;
        }
        Ok(())
    }
}
