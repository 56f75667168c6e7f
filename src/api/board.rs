//! What pages show of the box without asking for it: sources, load, news, updates, exports. They get it over a socket
//! ([`socket`], docs/protocol.md 1), and by `GetNews` and `GetRunHistory`.
//!
//! One task ([`run`]) finds out what changed and makes the messages, once for all sockets; each of these picks what its
//! user may see. Memory: [`news::MOST`] news, [`history::STEPS`] samples, and while somebody listens an entry of about
//! 1 KB for each source and [`QUEUE`] changes, each of at most two entries for each source. One lock, held for single
//! look-ups and never across an await.

mod change;
mod history;
mod levels;
mod news;
mod run;
mod sites;
mod socket;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::broadcast::{self, Receiver};
use warp::ws::Message;

use self::change::{Change, Entry, Eyes, Progress, entries, list, message, object, sources_message};
use self::history::History;
use self::levels::Levels;
use self::news::{Item, News, Note};
pub use self::run::run;
use self::sites::Sites;
pub use self::socket::socket;
use super::Context;
use super::calls::Answer;
use super::request::Ask;
use crate::base::Result;
use crate::base::wall::Wall;
use crate::onvif::events::CameraEvent;
use crate::record::export::Status;
use crate::system::{RunInfo, VERSION};

/// Changes that wait for slow sockets, some seconds' worth. Who is further behind gets the whole state again.
const QUEUE: usize = 32;
/// News that a page gets when it opens its socket.
const FIRST_NEWS: usize = 50;

/// See the module.
pub struct Board {
    now: Mutex<Now>,
    changes: broadcast::Sender<Arc<Change>>,
}

/// What was told last; what is known of sources, updates and exports while somebody listens only.
#[derive(Default)]
struct Now {
    sources: Option<Vec<Arc<Entry>>>,
    /// At a central.
    sites: Option<Sites>,
    update: Option<Asked>,
    exports: Vec<Progress>,
    news: News,
    history: History,
}

/// What `GetUpdate` said.
struct Asked {
    /// How often the update had changed before.
    changes: u64,
    under_way: bool,
    told: Message,
}

impl Default for Board {
    fn default() -> Self {
        Self { now: Mutex::default(), changes: broadcast::Sender::new(QUEUE) }
    }
}

impl Board {
    /// Takes in what cameras reported: token and name of each. That something ended is no news.
    pub fn happened<'a>(
        &self,
        ctx: &Context,
        reports: impl Iterator<Item = (&'a str, String, &'a CameraEvent)>,
        at: Wall,
    ) {
        let began = reports.filter(|(_, _, event)| event.active);
        let notes: Vec<_> = began.map(|(token, name, event)| Note::report(token, name, event)).collect();
        let clock = ctx.recorder.clock.mono();
        let mut now = self.now();
        let told = notes.into_iter().filter_map(|note| now.news.tell(note, clock, at)).collect();
        self.tell(told);
    }

    /// A new subscription, and what its socket is told first: the changes that follow are changes of just that.
    fn join(
        &self,
        ctx: &Context,
        eyes: &Eyes,
        user: &str,
        run: &Value,
    ) -> (Receiver<Arc<Change>>, Vec<Message>) {
        let mut now = self.now();
        let now = &mut *now;
        let sources = now.sources.get_or_insert_with(|| entries(ctx));
        if let (None, Some(central)) = (&now.sites, &ctx.cloud.central) {
            now.sites = Some(Sites::new(ctx, central));
        }
        let shown = sources.iter().filter(|entry| eyes.sight.covers(&entry.token));
        let of_sites = now.sites.iter().flat_map(|sites| sites.seen_by(eyes));
        let sources = list(shown.map(|entry| &*entry.text).chain(of_sites));
        let news: Vec<_> = now.news.newest(|item| eyes.see(item)).take(FIRST_NEWS).collect();
        let state = object(&[
            ("type", &json!("H5S_STATE").to_string()),
            ("strVersion", &json!(VERSION).to_string()),
            ("bAppliance", &json!(ctx.appliance.is_there()).to_string()),
            ("bCentral", &json!(ctx.cloud.central.is_some()).to_string()),
            ("strUser", &json!(user).to_string()),
            ("strUserType", &json!(eyes.role.as_str()).to_string()),
            ("src", &sources),
            ("run", &run.to_string()),
            ("news", &json!(news).to_string()),
        ]);
        let update = now.update.iter().filter(|_| eyes.update()).map(|asked| asked.told.clone());
        let exports = now.exports.iter().filter(|export| eyes.sight.covers(&export.token));
        let exports = exports.map(|export| export.told.clone());
        let first = [Message::text(state)].into_iter().chain(update).chain(exports).collect();
        (self.changes.subscribe(), first)
    }

    /// Looks at everything that can be had at once, and tells what changed. `ended` are exports that have.
    fn look(&self, ctx: &Context, levels: &mut Levels, ended: &[Status]) {
        let findings = levels::findings(ctx);
        let (clock, at) = (ctx.recorder.clock.mono(), Wall::from(ctx.recorder.clock.wall()));
        let mut now = self.now();
        if self.is_watched() {
            self.tell_sources(&mut now, ctx);
            self.tell_exports(&mut now, &ctx.recorder.exports_under_way(), ended);
        } else {
            (now.sources, now.sites, now.update) = (None, None, None);
            now.exports.clear();
        }
        self.tell(levels.take(findings, &mut now.news, clock, at));
    }

    fn tell_sources(&self, now: &mut Now, ctx: &Context) {
        let entries = entries(ctx);
        let Some(before) = now.sources.replace(entries.clone()) else { return };
        let known: HashMap<&str, &Entry> = before.iter().map(|entry| (&*entry.token, &**entry)).collect();
        let there: HashSet<&str> = entries.iter().map(|entry| &*entry.token).collect();
        let gone = before.iter().map(|entry| &entry.token).filter(|token| !there.contains(&***token));
        let mut gone: Vec<String> = gone.cloned().collect();
        let is_new = |entry: &&Arc<Entry>| known.get(&*entry.token).is_none_or(|old| old.text != entry.text);
        let mut changed: Vec<_> = entries.iter().filter(is_new).cloned().collect();
        if let Some(sites) = &mut now.sites {
            let (new, left) = sites.look(ctx);
            changed.extend(new);
            gone.extend(left);
        }
        if !changed.is_empty() || !gone.is_empty() {
            let all = sources_message(changed.iter(), &gone);
            self.send(Change::Sources { changed, gone, all });
        }
    }

    fn tell_exports(&self, now: &mut Now, under_way: &[Status], ended: &[Status]) {
        let progress: Vec<_> = under_way.iter().map(Progress::of).collect();
        let is_new = |export: &&Progress| {
            let before = now.exports.iter().find(|before| before.id == export.id);
            before.is_none_or(|before| before.percentage != export.percentage)
        };
        let changed: Vec<_> =
            progress.iter().filter(is_new).cloned().chain(ended.iter().map(Progress::of)).collect();
        if !changed.is_empty() {
            self.send(Change::Exports(changed));
        }
        now.exports = progress;
    }

    /// Takes in a sample of the box's load, for the history too if it is time for that.
    fn sampled(&self, info: &RunInfo, shown: &Value, of_history: bool, at: Wall) {
        if of_history {
            self.now().history.add(info, at);
        }
        self.send(Change::Run(message("H5S_RUN", "run", shown)));
    }

    /// Whether what is known of the update is so still.
    fn update_known(&self, changes: u64) -> bool {
        self.now().update.as_ref().is_some_and(|asked| asked.changes == changes && !asked.under_way)
    }

    fn updated(&self, changes: u64, shown: &Value) {
        let under_way = matches!(shown["strState"].as_str(), Some("receiving" | "checking" | "installing"));
        let told = message("H5S_UPDATE", "update", shown);
        let mut now = self.now();
        let before = now.update.replace(Asked { changes, under_way, told: told.clone() });
        if before.is_none_or(|before| before.told != told) {
            self.send(Change::Update(told));
        }
    }

    fn tell(&self, news: Vec<Arc<Item>>) {
        if !news.is_empty() {
            let told = |item: Arc<Item>| {
                let message = message("H5S_NEWS", "news", &json!(*item));
                (item, message)
            };
            self.send(Change::News(news.into_iter().map(told).collect()));
        }
    }

    fn send(&self, change: Change) {
        // Without anybody who listens there is nobody to tell.
        let _ = self.changes.send(Arc::new(change));
    }

    fn is_watched(&self) -> bool {
        self.changes.receiver_count() > 0
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Whatever a panic left half told is told by the next state.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GetNews`
pub async fn get_news(ask: Ask) -> Result<Answer> {
    let eyes = Eyes::of(ask.session.as_ref());
    let now = ask.ctx.board.now();
    let news: Vec<_> = now.news.newest(|item| eyes.see(item)).collect();
    Ok(Answer::Json(json!({ "news": news })))
}

/// `GetRunHistory`
pub async fn run_history(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(ask.ctx.board.now().history.shown()))
}
