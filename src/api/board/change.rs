//! What is told to the sockets, as messages that are made once, and who may see it.

use std::sync::Arc;

use serde_json::{Value, json};
use warp::ws::Message;

use super::news::Item;
use crate::api::request::sight;
use crate::api::{Context, exports, sources};
use crate::auth::{Role, Session, Sight};
use crate::record::export::Status;

/// A source as GetSrc shows it.
pub struct Entry {
    pub token: String,
    /// JSON.
    pub text: String,
}

/// An export that was told of.
#[derive(Clone)]
pub struct Progress {
    pub id: i64,
    pub token: String,
    pub percentage: u64,
    pub told: Message,
}

/// What is told to all sockets, as messages that are made already.
pub enum Change {
    /// `all` is for those who may see all of them.
    Sources {
        changed: Vec<Arc<Entry>>,
        gone: Vec<String>,
        all: Message,
    },
    Run(Message),
    News(Vec<(Arc<Item>, Message)>),
    Update(Message),
    Exports(Vec<Progress>),
}

/// What somebody may see.
pub struct Eyes {
    pub sight: Sight,
    pub role: Role,
}

impl Eyes {
    /// Where calls are open to all, whoever has no session may do all.
    pub fn of(session: Option<&Session>) -> Self {
        let role = session.map_or(Role::Administrator, |session| session.role);
        Self { sight: sight(session), role }
    }

    /// News of no source are of the box.
    pub fn see(&self, item: &Item) -> bool {
        if item.token.is_empty() { self.role >= Role::Operator } else { self.sight.covers(&item.token) }
    }

    pub fn update(&self) -> bool {
        self.role == Role::Administrator
    }
}

impl Change {
    pub fn seen_by(&self, eyes: &Eyes) -> Vec<Message> {
        match self {
            Self::Sources { all, .. } if eyes.sight == Sight::All => vec![all.clone()],
            Self::Sources { changed, gone, .. } => {
                let changed: Vec<_> =
                    changed.iter().filter(|entry| eyes.sight.covers(&entry.token)).collect();
                let gone: Vec<_> = gone.iter().filter(|token| eyes.sight.covers(token)).cloned().collect();
                match changed.is_empty() && gone.is_empty() {
                    true => Vec::new(),
                    false => vec![sources_message(changed.into_iter(), &gone)],
                }
            }
            Self::Run(message) => vec![message.clone()],
            Self::News(news) => {
                news.iter().filter(|(item, _)| eyes.see(item)).map(|(_, told)| told.clone()).collect()
            }
            Self::Update(message) if eyes.update() => vec![message.clone()],
            Self::Update(_) => Vec::new(),
            Self::Exports(exports) => {
                let seen = exports.iter().filter(|export| eyes.sight.covers(&export.token));
                seen.map(|export| export.told.clone()).collect()
            }
        }
    }
}

impl Progress {
    pub fn of(status: &Status) -> Self {
        let told = message("H5S_ARCHIVE", "archive", &exports::shown(status));
        let Status { export, percentage } = status;
        Self { id: export.id, token: export.token.clone(), percentage: *percentage, told }
    }
}

pub fn entries(ctx: &Context) -> Vec<Arc<Entry>> {
    let sources = ctx.sources.list();
    let entry = sources.iter().map(|source| {
        let text = sources::shown(&ctx.recorder, source).to_string();
        Arc::new(Entry { token: source.spec.token.clone(), text })
    });
    entry.collect()
}

pub fn sources_message<'a>(changed: impl Iterator<Item = &'a Arc<Entry>>, gone: &[String]) -> Message {
    let changed = list(changed.map(|entry| &*entry.text));
    let kind = json!("H5S_SRC").to_string();
    Message::text(object(&[("type", &kind), ("src", &changed), ("gone", &json!(gone).to_string())]))
}

pub fn message(kind: &str, name: &str, value: &Value) -> Message {
    Message::text(json!({ "type": kind, name: value }).to_string())
}

/// A JSON array of what is JSON already.
pub fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// A JSON object of what is JSON already.
pub fn object(fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}
