//! What the streams consist of. Recorders want to know codec, size and rates before they open a stream,
//! and we know them only from the stream itself: so each is looked at once when the device is on, again
//! when it runs anyway and has changed, and what was seen is kept for the next start.
//!
//! One task, [`AT_ONCE`] sources at a time. Memory: one row for each source.

mod measure;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

pub use self::measure::glance;
use self::measure::{is_still, measure};
use crate::api::Context;
use crate::media::stream::{OfflineReason, Status, Stream};
use crate::onvif::device::{Codec, CodecProfile, Picture, Video};
use crate::source::{Profile, Source};

/// How often the streams are gone through.
const TICK: Duration = Duration::from_secs(1);
/// Sources that are looked at at a time.
const AT_ONCE: usize = 4;
/// Rest after a look that failed: the camera is away.
const REST: Duration = Duration::from_secs(120);
/// Rest after a camera refused our password: cameras lock accounts.
const LONG_REST: Duration = Duration::from_secs(3600);
/// How old the rates of a running stream may be.
const FRESH: Duration = Duration::from_secs(600);

/// What is known of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub main: Video,
    pub sub: Video,
    pub has_sub: bool,
    pub ptz: bool,
}

/// What is known, by the source's token.
#[derive(Debug, Default)]
pub struct Facts(Mutex<HashMap<String, Seen>>);

impl Facts {
    pub fn get(&self, token: &str) -> Seen {
        self.table().get(token).copied().unwrap_or_default()
    }

    fn set(&self, token: &str, seen: Seen) {
        self.table().insert(token.to_owned(), seen);
    }

    /// Forgets what is not in `tokens`; gives those that were.
    fn retain(&self, tokens: &[&str]) -> Vec<String> {
        let mut table = self.table();
        let gone: Vec<String> =
            table.keys().filter(|token| !tokens.contains(&token.as_str())).cloned().collect();
        gone.iter().for_each(|token| {
            table.remove(token);
        });
        gone
    }

    fn knows(&self, token: &str) -> bool {
        self.table().contains_key(token)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until the daemon stops.
pub async fn run(ctx: &Arc<Context>) {
    let looker = Looker { ctx: ctx.clone(), looked: Mutex::default() };
    loop {
        tokio::select! {
            () = looker.round() => {}
            () = ctx.shutdown.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = ctx.shutdown.cancelled() => return,
        }
    }
}

/// When something was looked at last, and when to try again where that failed.
#[derive(Clone, Copy, Debug)]
struct Looked {
    at: Instant,
    rest: Option<Duration>,
}

/// What can be looked at of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    Main,
    Sub,
    Ptz,
}

struct Looker {
    ctx: Arc<Context>,
    /// One entry for each thing of each source.
    looked: Mutex<HashMap<(String, Thing), Looked>>,
}

impl Looker {
    async fn round(&self) {
        let sources = self.ctx.sources.list();
        let tokens: Vec<&str> = sources.iter().map(|source| source.spec.token.as_str()).collect();
        self.looked().retain(|(token, _), _| tokens.contains(&token.as_str()));
        for token in self.ctx.device.site.facts.retain(&tokens) {
            self.keep(&token, None).await;
        }
        for source in &sources {
            self.recall(source).await;
        }
        if self.ctx.device.site.switch().device {
            stream::iter(&sources).for_each_concurrent(AT_ONCE, |source| self.look(source)).await;
        }
    }

    /// What was kept of a source that is new here.
    async fn recall(&self, source: &Source) {
        let token = source.spec.token.clone();
        let facts = &self.ctx.device.site.facts;
        if facts.knows(&token) {
            return;
        }
        let key = key(&token);
        let kept = self.ctx.store.run(move |store| store.setting(&key)).await;
        let seen = kept.ok().flatten().and_then(|text| read(&text)).unwrap_or_default();
        facts.set(&token, seen);
    }

    /// The camera's answer comes quickly and first; the streams take as long as their groups of pictures.
    async fn look(&self, source: &Source) {
        let token = &source.spec.token;
        let known = || self.ctx.device.site.facts.get(token);
        if source.spec.onvif.is_some()
            && self.is_due(token, Thing::Ptz, known().ptz)
            && let Some(ptz) = self.steerable(token).await
        {
            self.learn(token, Seen { ptz, ..known() }).await;
        }
        if let Some(has_sub) = source.has_sub() {
            self.learn(token, Seen { has_sub, ..known() }).await;
        }
        let main = self.stream(token, Thing::Main, &source.stream, known().main).await;
        self.learn(token, Seen { main, ..known() }).await;
        if known().has_sub {
            let sub = self.stream(token, Thing::Sub, source.shown(Profile::Sub), known().sub).await;
            self.learn(token, Seen { sub, ..known() }).await;
        }
    }

    async fn learn(&self, token: &str, seen: Seen) {
        let before = self.ctx.device.site.facts.get(token);
        if seen != before {
            self.ctx.device.site.facts.set(token, seen);
            // Rates are never twice the same, and not worth a write.
            if shape(seen) != shape(before) {
                self.keep(token, Some(seen)).await;
            }
        }
    }

    /// What is known of a stream now.
    async fn stream(&self, token: &str, thing: Thing, stream: &Arc<Stream>, known: Video) -> Video {
        let running = stream.hub.params();
        let changed = match (&running, known) {
            (Some(params), Some(known)) => !is_still(&params.video, &known),
            _ => false,
        };
        let stale = running.is_some() && self.age(token, thing).is_none_or(|age| age > FRESH);
        if !changed && !stale && !self.is_due(token, thing, known.is_some()) {
            return known;
        }
        let measured = measure(stream).await;
        let rest = match stream.status() {
            _ if measured.is_ok() => None,
            Status::Offline { reason: OfflineReason::Unauthorised, .. } => Some(LONG_REST),
            _ => Some(REST),
        };
        self.note(token, thing, rest);
        match measured {
            Ok(picture) => Some(picture),
            Err(error) => {
                tracing::debug!(stream = stream.token, "ONVIF: nothing is known of it: {error}");
                known
            }
        }
    }

    async fn steerable(&self, token: &str) -> Option<bool> {
        let camera = self.ctx.sources.cameras.get(token)?;
        let profiles = camera.profiles().await;
        self.note(token, Thing::Ptz, profiles.is_err().then_some(REST));
        profiles.ok().map(|profiles| profiles.iter().any(|profile| profile.ptz.is_some()))
    }

    /// Whether to look at what runs only for us: once, until it went well; what is known from before
    /// the start will do.
    fn is_due(&self, token: &str, thing: Thing, known: bool) -> bool {
        match self.looked().get(&(token.to_owned(), thing)) {
            None => !known,
            Some(looked) => looked.rest.is_some_and(|rest| looked.at.elapsed() > rest),
        }
    }

    fn age(&self, token: &str, thing: Thing) -> Option<Duration> {
        self.looked().get(&(token.to_owned(), thing)).map(|looked| looked.at.elapsed())
    }

    fn note(&self, token: &str, thing: Thing, rest: Option<Duration>) {
        self.looked().insert((token.to_owned(), thing), Looked { at: Instant::now(), rest });
    }

    fn looked(&self) -> MutexGuard<'_, HashMap<(String, Thing), Looked>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(&self, token: &str, seen: Option<Seen>) {
        let key = key(token);
        let kept = self.ctx.store.run(move |store| match seen {
            Some(seen) => store.put_setting(&key, &written(seen)),
            None => store.delete_setting(&key),
        });
        if let Err(error) = kept.await {
            tracing::error!(token, "what is known of the stream is not kept: {error}");
        }
    }
}

/// Without the rates.
fn shape(seen: Seen) -> Seen {
    let plain = |video: Video| video.map(|picture| Picture { fps: 0, kbps: 0, gop: 0, ..picture });
    Seen { main: plain(seen.main), sub: plain(seen.sub), ..seen }
}

/// The setting that a source's facts are kept under.
fn key(token: &str) -> String {
    format!("onvif/seen/{token}")
}

fn written(seen: Seen) -> String {
    let video = |video: Video| {
        video.map(|p| json!([p.codec.as_str(), p.width, p.height, p.fps, p.kbps, p.gop, p.profile.as_str()]))
    };
    json!({
        "main": video(seen.main),
        "sub": video(seen.sub),
        "has_sub": seen.has_sub,
        "ptz": seen.ptz,
    })
    .to_string()
}

/// The reverse of [`written`].
fn read(text: &str) -> Option<Seen> {
    let value: Value = serde_json::from_str(text).ok()?;
    let video = |name: &str| -> Video {
        let row = value.get(name)?.as_array()?;
        let number = |at: usize| u32::try_from(row.get(at)?.as_u64()?).ok();
        Some(Picture {
            codec: Codec::parse(row.first()?.as_str()?)?,
            width: number(1)?,
            height: number(2)?,
            fps: number(3)?,
            kbps: number(4)?,
            gop: number(5)?,
            profile: CodecProfile::parse(row.get(6)?.as_str()?)?,
        })
    };
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
    Some(Seen { main: video("main"), sub: video("sub"), has_sub: flag("has_sub"), ptz: flag("ptz") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back() {
        let main = Picture {
            codec: Codec::H265,
            width: 3840,
            height: 2160,
            fps: 25,
            kbps: 6000,
            gop: 50,
            profile: CodecProfile::Main10,
        };
        let seen = Seen { main: Some(main), sub: None, has_sub: true, ptz: true };
        assert_eq!(read(&written(seen)), Some(seen));
        assert_eq!(read("nothing"), None);
        assert_eq!(read("{}"), Some(Seen::default()));
        let busier = Seen { main: Some(Picture { kbps: 1, ..main }), ..seen };
        assert!(busier != seen && shape(busier) == shape(seen));
    }
}
