//! Keeps others told that the device is there and what it shows: the WS-Discovery responder runs while
//! the device is on and may be found, its metadata version grows with each change of the channels, and
//! who listens to events hears of profiles that came, went or changed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::Context;
use crate::base::Result;
use crate::onvif::Service;
use crate::onvif::device::{Channel, Notice, Site, names, path, scopes};
use crate::onvif::discovery::{Identity, Responder};
use crate::store::Store;

/// How often is looked for changes.
const TICK: Duration = Duration::from_secs(1);
/// Rest after the port could not be taken.
const REST: Duration = Duration::from_secs(60);
/// The setting that the metadata version is kept under.
const VERSION: &str = "onvif/metadata_version";

/// Runs until the daemon stops; the device has said Bye then.
pub async fn run(ctx: &Arc<Context>) {
    let mut herald = Herald { ctx, version: 0, shown: None, voice: None };
    let mut switch = ctx.device.site.watch_switch();
    loop {
        let pause = herald.step().await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // Its sender is in the context.
            _ = switch.changed() => {}
            () = ctx.shutdown.cancelled() => break,
        }
    }
    herald.fall_silent().await;
}

struct Herald<'a> {
    ctx: &'a Arc<Context>,
    version: u32,
    /// What was shown at the last look; `None` before the first.
    shown: Option<Vec<Shown>>,
    voice: Option<Voice>,
}

/// The responder while it runs.
struct Voice {
    responder: Responder,
    identity: watch::Sender<Option<Identity>>,
    stop: CancellationToken,
}

/// A channel as far as a change of it is news: without its rates.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    channel: Channel,
}

impl Shown {
    fn new(mut channel: Channel) -> Self {
        let videos = [Some(&mut channel.main), channel.sub.as_mut()];
        for picture in videos.into_iter().flatten().flatten() {
            (picture.fps, picture.kbps, picture.gop) = (0, 0, 0);
        }
        Self { channel }
    }

    fn profiles(&self) -> impl Iterator<Item = String> {
        names::qualities(&self.channel).map(|quality| names::profile_token(&self.channel, quality))
    }
}

impl Herald<'_> {
    /// Looks once; gives how long to wait until the next time.
    async fn step(&mut self) -> Duration {
        self.compare().await;
        match self.announce().await {
            Ok(()) => TICK,
            Err(error) => {
                tracing::warn!("the ONVIF device cannot be found: {error}");
                REST
            }
        }
    }

    async fn compare(&mut self) {
        let now: Vec<Shown> = self.ctx.device.site.channels().into_iter().map(Shown::new).collect();
        if self.shown.as_ref() == Some(&now) {
            return;
        }
        let at = SystemTime::now();
        let before = self.shown.replace(now.clone()).unwrap_or_default();
        let changed = now.iter().filter(|shown| !before.contains(shown));
        let gone =
            before.iter().filter(|old| !now.iter().any(|new| new.channel.source == old.channel.source));
        for token in changed.chain(gone).flat_map(Shown::profiles) {
            self.ctx.device.device.notify(Notice::ProfileChanged { token, at });
        }
        match self.ctx.store.run(next_version).await {
            Ok(version) => self.version = version,
            Err(error) => {
                tracing::error!("the metadata version is not kept: {error}");
                self.version += 1;
            }
        }
    }

    async fn announce(&mut self) -> Result<()> {
        let site = &self.ctx.device.site;
        if !site.discoverable() {
            self.fall_silent().await;
            return Ok(());
        }
        let own = site.identity();
        let identity = Identity {
            endpoint: own.endpoint.clone(),
            scopes: scopes(&own),
            http: site.ports.http,
            path: path(Service::Device).to_owned(),
            metadata_version: self.version,
        };
        match &self.voice {
            Some(voice) => {
                voice.identity.send_if_modified(|known| {
                    let news = known.as_ref() != Some(&identity);
                    *known = Some(identity);
                    news
                });
            }
            None => {
                let stop = CancellationToken::new();
                let (sender, receiver) = watch::channel(Some(identity));
                let responder = Responder::start(receiver, stop.clone())?;
                self.voice = Some(Voice { responder, identity: sender, stop });
            }
        }
        Ok(())
    }

    async fn fall_silent(&mut self) {
        if let Some(voice) = self.voice.take() {
            voice.stop.cancel();
            voice.responder.stopped().await;
        }
    }
}

/// Grows over restarts, too.
fn next_version(store: &Store) -> Result<u32> {
    let last = store.setting(VERSION)?.and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    let next = last.saturating_add(1);
    store.put_setting(VERSION, &next.to_string())?;
    Ok(next)
}
