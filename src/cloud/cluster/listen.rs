//! Hearing the other nodes: heart-beats, where sites are and notices; streams and their openings; and this node's
//! own heart-beat.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::connection::Connection;
use super::members::{BEAT, Beat, LEASE, Life};
use super::presence::{MAX_FACTS, Record};
use super::switch::Switch;
use super::text::{check_node, clipped, site_key};
use super::{Change, MAX_NOTICE, Notice, Shared, locked, now_ms, subject};
use crate::base::Result;

/// Records that are told again at a time; more come by way of the bucket.
const MAX_AGAIN: usize = 256;

/// How often old records are looked through.
const TIDY: Duration = Duration::from_secs(600);

/// A record is forgotten after so long without news of its site, in ms; the bucket does the same.
pub(super) const FORGET: u64 = 24 * 3600 * 1000;

/// A record that is in the bucket for so long is put there again, in ms.
const RENEW: u64 = FORGET / 3;

/// A record and its site, as JSON between nodes.
#[derive(Serialize, Deserialize)]
pub(super) struct Told {
    pub site: String,
    #[serde(flatten)]
    pub record: Record,
}

/// A notice, as JSON between nodes.
#[derive(Serialize, Deserialize)]
pub(super) struct News {
    #[serde(flatten)]
    pub life: Life,
    /// Without one: notices of this node's were lost.
    pub kind: Option<String>,
    #[serde(default)]
    pub value: Value,
}

/// What this node hears.
pub(super) struct Ears {
    beats: Subscriber,
    sites: Subscriber,
    notices: Subscriber,
}

impl Ears {
    pub async fn open(control: &Connection) -> Result<Self> {
        Ok(Self {
            beats: control.subscribe(subject::BEAT.to_owned()).await?,
            sites: control.subscribe(subject::SITE.to_owned()).await?,
            notices: control.subscribe(subject::NOTICE.to_owned()).await?,
        })
    }
}

/// Hands the streams' messages to them.
pub(super) async fn streams(switch: Arc<Switch>, mut messages: Subscriber, stop: CancellationToken) {
    let route = async {
        while let Some(message) = messages.next().await {
            switch.route(&message);
        }
    };
    stop.run_until_cancelled(route).await;
}

/// Takes the streams that other nodes open.
pub(super) async fn openings(switch: Arc<Switch>, mut asked: Subscriber, stop: CancellationToken) {
    let accept = async {
        while let Some(message) = asked.next().await {
            switch.accept(message).await;
        }
    };
    stop.run_until_cancelled(accept).await;
}

/// The task that hears and beats, until it is stopped; then it says goodbye.
pub(super) async fn listen(shared: Arc<Shared>, mut ears: Ears, stop: CancellationToken) {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tidy = interval(TIDY);
    let (mut times, mut up_since) = (0, Instant::now());
    loop {
        tokio::select! {
            Some(message) = ears.beats.next() => heard_beat(&shared, &message).await,
            Some(message) = ears.sites.next() => heard_site(&shared, &message).await,
            Some(message) = ears.notices.next() => heard_notice(&shared, &message),
            _ = beat.tick() => {
                say_beat(&shared, false, false).await;
                say_again(&shared).await;
                say_missed(&shared).await;
                expire(&shared, times > 0 && up_since.elapsed() >= LEASE).await;
            }
            _ = tidy.tick() => {
                let mut sites = locked(&shared.sites);
                sites.mark_unstored(now_ms(), RENEW);
                sites.prune(|life| shared.alive(life), now_ms(), FORGET);
                shared.dirty.notify_one();
            }
            now = shared.control.up_again(times) => {
                // What was sent before the end of the last connection was noticed may have been lost with it.
                if times > 0 {
                    shared.unsent.store(true, Ordering::Relaxed);
                }
                (times, up_since) = (now, Instant::now());
                came_up(&shared).await;
            }
            () = stop.cancelled() => break,
        }
    }
    say_beat(&shared, true, false).await;
    // The beat is only queued; and without a connection there is nobody to wait for.
    let _ = tokio::time::timeout(Duration::from_millis(500), shared.control.client().flush()).await;
}

async fn say_beat(shared: &Shared, bye: bool, ask: bool) {
    let beat = Beat { life: shared.me.clone(), bye, ask };
    shared.control.tell(subject::BEAT, serde_json::to_vec(&beat).unwrap_or_default()).await;
}

/// What was said while there was no connection was not heard, here and there.
async fn came_up(shared: &Shared) {
    say_beat(shared, false, true).await;
    say_again(shared).await;
    say_missed(shared).await;
    let _ = shared.notices.send(Notice::Missed);
    shared.changed(Change::Any);
}

/// Tells the others that notices of this node's were lost, if they were.
async fn say_missed(shared: &Shared) {
    if shared.unsent.swap(false, Ordering::Relaxed) {
        let news = News { life: shared.me.clone(), kind: None, value: Value::Null };
        if !shared.control.tell(subject::NOTICE, serde_json::to_vec(&news).unwrap_or_default()).await {
            shared.unsent.store(true, Ordering::Relaxed);
        }
    }
}

/// Tells what may have been said to nobody and is not in the bucket either: servers that lost one of them have a
/// leader for it only after seconds, and a node that comes over to another one may just then hear nothing.
async fn say_again(shared: &Shared) {
    let unstored = locked(&shared.sites).unstored(MAX_AGAIN);
    shared.tell(unstored).await;
}

async fn heard_beat(shared: &Shared, message: &Message) {
    let Ok(beat) = serde_json::from_slice::<Beat>(&message.payload) else { return };
    if beat.life == shared.me || check_node(&beat.life.node).is_err() {
        return;
    }
    if beat.life.node == shared.me.node {
        if !beat.bye {
            error!("cluster: another node is called {} as well; names must differ", shared.me.node);
        }
        return;
    }
    if locked(&shared.members).hear(&beat, Instant::now()) {
        info!("cluster: node {} {}", beat.life.node, if beat.bye { "stopped" } else { "is there" });
        shared.changed(Change::Any);
    }
    if beat.ask {
        say_beat(shared, false, false).await;
        say_again(shared).await;
    }
}

async fn heard_site(shared: &Shared, message: &Message) {
    if let Ok(Told { site, record }) = serde_json::from_slice(&message.payload) {
        take_in(shared, &site, record).await;
    }
}

/// Takes in what another node says of a site, from wherever it came.
pub(super) async fn take_in(shared: &Shared, site: &str, record: Record) {
    let fits = record.facts.len() <= MAX_FACTS && check_node(&record.life.node).is_ok();
    if record.life == shared.me || !fits || site_key(site).is_err() {
        return;
    }
    let merged = locked(&shared.sites).merge(site, record, now_ms());
    if merged.changed {
        shared.changed(Change::Site(site.to_owned()));
    }
    if let Some(answer) = merged.answer {
        shared.say(site, &answer).await;
    }
}

fn heard_notice(shared: &Shared, message: &Message) {
    if message.payload.len() > MAX_NOTICE {
        return;
    }
    let Ok(News { life, kind, value }) = serde_json::from_slice(&message.payload) else { return };
    if life == shared.me {
        return;
    }
    let notice = match kind {
        Some(kind) => Notice::Told { node: clipped(&life.node, 64).to_owned(), kind, value },
        None => Notice::Missed,
    };
    // Nobody need listen.
    let _ = shared.notices.send(notice);
}

/// Looks after nodes that fell silent. `settled`: every node that is alive has been heard by now.
async fn expire(shared: &Shared, settled: bool) {
    let dead = locked(&shared.members).expire(Instant::now());
    for node in &dead {
        warn!("cluster: node {node} has been silent for {} s, its sites are away", LEASE.as_secs());
    }
    if !dead.is_empty() {
        shared.changed(Change::Any);
    }
    if settled {
        let back = locked(&shared.sites).reclaim(|life| shared.alive(life), now_ms());
        if !back.is_empty() {
            shared.dirty.notify_one();
            shared.changed(Change::Any);
            shared.tell(back).await;
        }
    }
}
