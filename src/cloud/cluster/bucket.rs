//! The buckets in JetStream: `h5edge-sites` with a record per site, `h5edge-sessions` (`sessions`).
//!
//! Nodes tell each other of sites directly as well (`listen`), so that nobody waits while the servers elect a
//! leader of the bucket. The bucket is what a node reads that comes new or was cut off. One task here follows
//! it, one puts this node's records, 64 at a time. Only features of nats-server 2.9 are used; in particular no
//! age limits for single keys.

use std::time::Duration;

use async_nats::jetstream::kv::{Operation, Store};
use async_nats::jetstream::stream::{Config, DiscardPolicy};
use async_nats::jetstream::{self, Context};
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, warn};

use super::listen::{FORGET, take_in};
use super::presence::{MAX_FACTS, Record};
use super::sessions::{MAX_LIFE, MAX_SESSION};
use super::text::{site_key, site_of};
use super::{Change, Shared, locked, now_ms};
use crate::base::{Error, Result};

/// A put that has no answer after this has failed.
const PUT: Duration = Duration::from_secs(3);

/// Records that are put at a time.
const BATCH: usize = 64;

/// How often the watch is looked after, and after how many times without its mark it is made anew.
const CHECK: Duration = Duration::from_secs(5);
const MISSES: u32 = 3;

/// A mark is put at every so many checks.
const MARK_EVERY: u32 = 6;

#[derive(Clone)]
pub(super) struct Buckets {
    pub sites: Store,
    pub sessions: Store,
}

/// The bucket `name`, made if it is not there, with as many copies as there should be.
async fn open(context: &Context, name: &str, replicas: usize, age: Duration, size: usize) -> Result<Store> {
    let failed = |error: &dyn std::fmt::Display| Error::refused(format!("bucket {name}: {error}"));
    if let Ok(found) = context.get_key_value(name).await {
        let config = &found.stream.cached_info().config;
        if config.num_replicas != replicas {
            let config = Config { num_replicas: replicas, ..config.clone() };
            // As it is, it serves as well, only less safely.
            if let Err(error) = context.update_stream(config).await {
                warn!("cluster: bucket {name} cannot have {replicas} copies: {error}");
            }
        }
        return Ok(found);
    }
    // The library's own way to make a bucket first asks for the account, which 2.9 tells in another form.
    let config = Config {
        name: format!("KV_{name}"),
        description: Some("h5edge".to_owned()),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        max_message_size: size as i32,
        max_age: age,
        discard: DiscardPolicy::New,
        num_replicas: replicas,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    };
    context.create_stream(config).await.map_err(|error| failed(&error))?;
    context.get_key_value(name).await.map_err(|error| failed(&error))
}

/// Follows the bucket of sites for ever.
pub(super) async fn follow(shared: &Shared) {
    let mut last = String::new();
    loop {
        let times = shared.control.up_again(0).await;
        match follow_once(shared, times).await {
            Ok(()) => {}
            Err(error) => {
                let text = error.to_string();
                if text != last {
                    warn!("cluster: {text}; it is tried again");
                }
                last = text;
                sleep(Duration::from_millis(rand::random_range(500..1500))).await;
            }
        }
    }
}

/// Follows the bucket until the connection is another one.
async fn follow_once(shared: &Shared, times: u64) -> Result<()> {
    let mut context = jetstream::new(shared.control.client().clone());
    context.set_timeout(PUT);
    let (copies, size) = (shared.replicas, MAX_FACTS + 1024);
    let sites = open(&context, "h5edge-sites", copies, Duration::from_millis(FORGET), size).await?;
    let sessions = open(&context, "h5edge-sessions", copies, MAX_LIFE, MAX_SESSION + 8).await?;
    *locked(&shared.buckets) = Some(Buckets { sites: sites.clone(), sessions });
    locked(&shared.sites).forget_stored();
    let watch = sites.watch_with_history(">").await;
    let mut watch = watch.map_err(|error| Error::refused(format!("bucket h5edge-sites: {error}")))?;

    // A key of this node's that goes through the bucket shows that all before it was read, and that the watch
    // still works.
    let mark_key = format!("mark.{}", shared.me.node);
    let nonce: u64 = rand::random();
    let (mut mark, mut seen, mut checks) = (0_u32, 0_u32, 0_u32);
    let mut check = interval(CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            entry = watch.next() => {
                let entry = match entry {
                    Some(Ok(entry)) => entry,
                    Some(Err(error)) => return Err(Error::refused(format!("watch of sites: {error}"))),
                    None => return Err(Error::refused("watch of sites: it ended")),
                };
                if entry.key == mark_key {
                    if *entry.value == *mark_text(nonce, mark).as_bytes() {
                        if seen == 0 {
                            debug!("cluster: the sites were read");
                            locked(&shared.sites).mark_unstored(now_ms(), u64::MAX);
                            shared.dirty.notify_one();
                            shared.changed(Change::Any);
                        }
                        (seen, checks) = (mark, 0);
                    }
                } else if let (Operation::Put, Some(site)) = (entry.operation, site_of(&entry.key))
                    && let Ok(record) = serde_json::from_slice::<Record>(&entry.value)
                {
                    let stamp = record.stamp;
                    take_in(shared, &site, record).await;
                    locked(&shared.sites).stored(&site, stamp, now_ms());
                    // Few sites need it, and then it is cheap.
                    shared.dirty.notify_one();
                }
            }
            _ = check.tick() => {
                checks += 1;
                if mark != seen && checks > MISSES {
                    return Err(Error::timeout("watch of sites: it fell silent"));
                }
                if mark == seen && (mark == 0 || checks >= MARK_EVERY) {
                    (mark, checks) = (mark + 1, 0);
                }
                if mark != seen {
                    let (sites, key, value) = (sites.clone(), mark_key.clone(), mark_text(nonce, mark));
                    // The watch goes on meanwhile; a failure shows in the mark that does not come.
                    tokio::spawn(async move { timeout(PUT, sites.put(key, value.into())).await });
                }
            }
            _ = shared.control.up_again(times) => return Ok(()),
        }
    }
}

fn mark_text(nonce: u64, mark: u32) -> String {
    format!("{nonce}.{mark}")
}

/// Puts this node's records into the bucket for ever.
pub(super) async fn write(shared: &Shared) {
    let mut pause = Duration::from_millis(250);
    loop {
        let batch = locked(&shared.sites).take_dirty(BATCH);
        if batch.is_empty() {
            shared.dirty.notified().await;
            continue;
        }
        let store = locked(&shared.buckets).as_ref().map(|buckets| buckets.sites.clone());
        let puts = batch.into_iter().map(|(site, record)| {
            let store = store.as_ref();
            async move { (!put(store, &site, &record).await).then_some(site) }
        });
        let failed: Vec<_> = join_all(puts).await.into_iter().flatten().collect();
        if failed.is_empty() {
            pause = Duration::from_millis(250);
            continue;
        }
        failed.into_iter().for_each(|site| locked(&shared.sites).failed(site));
        sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(PUT);
        shared.control.up_again(0).await;
    }
}

async fn put(store: Option<&Store>, site: &str, record: &Record) -> bool {
    let (Some(store), Ok(key), Ok(value)) = (store, site_key(site), serde_json::to_vec(record)) else {
        return false;
    };
    matches!(timeout(PUT, store.put(key, value.into())).await, Ok(Ok(_)))
}
