//! How long footage is kept and how much of it: what the configuration says, unless an administrator has
//! set it. What was set is in the database and holds from then on, whatever the configuration says later.
//!
//! No task of its own; those who delete ([`super::retain`]) wait for changes here. Memory: a few numbers.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};

use crate::base::config;
use crate::base::{Error, Result};
use crate::store::Store;

/// Where the table `settings` has it.
const KEY: &str = "retention";

/// What is deleted without being asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// `None` keeps recordings until their space is needed.
    pub keep: Option<Duration>,
    pub keep_snapshots: Option<Duration>,
    /// On all volumes together.
    pub max_bytes_per_source: Option<u64>,
}

/// What an administrator has set; `None` leaves it to the configuration, 0 is without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chosen {
    pub days: Option<u32>,
    pub snapshot_days: Option<u32>,
    /// MiB.
    pub source_mb: Option<u32>,
}

impl From<&config::Recording> for Retention {
    fn from(config: &config::Recording) -> Self {
        Self {
            keep: days(config.keep_days),
            keep_snapshots: days(config.keep_snapshot_days),
            max_bytes_per_source: mebibytes(config.max_mb_per_source),
        }
    }
}

impl Chosen {
    /// These, and where they say nothing, those of `before`.
    fn or(self, before: Self) -> Self {
        Self {
            days: self.days.or(before.days),
            snapshot_days: self.snapshot_days.or(before.snapshot_days),
            source_mb: self.source_mb.or(before.source_mb),
        }
    }

    fn over(self, configured: Retention) -> Retention {
        Retention {
            keep: self.days.map_or(configured.keep, |number| days(number.into())),
            keep_snapshots: self
                .snapshot_days
                .map_or(configured.keep_snapshots, |number| days(number.into())),
            max_bytes_per_source: self
                .source_mb
                .map_or(configured.max_bytes_per_source, |number| mebibytes(number.into())),
        }
    }
}

/// What holds now, and how it is changed.
pub(super) struct Rule {
    store: Arc<Store>,
    configured: Retention,
    /// Held while it is stored, so that two changes do not cross.
    chosen: Mutex<Chosen>,
    now: watch::Sender<Retention>,
}

impl Rule {
    /// What was set before, over what is configured.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(configured: Retention, store: Arc<Store>) -> Result<Self> {
        let chosen = match store.setting(KEY)? {
            Some(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                tracing::error!("retention is as configured, since what was set cannot be read: {error}");
                Chosen::default()
            }),
            None => Chosen::default(),
        };
        let now = watch::Sender::new(chosen.over(configured));
        Ok(Self { store, configured, chosen: Mutex::new(chosen), now })
    }

    pub fn now(&self) -> Retention {
        *self.now.borrow()
    }

    /// Changes with what holds; lasts as long as this.
    pub fn watch(&self) -> watch::Receiver<Retention> {
        self.now.subscribe()
    }

    /// Stores it; it holds at once.
    ///
    /// # Errors
    /// When the database fails; then the old one stays.
    pub async fn set(&self, change: Chosen) -> Result<Retention> {
        let mut chosen = self.chosen.lock().await;
        let next = change.or(*chosen);
        let text = serde_json::to_string(&next)
            .map_err(|error| Error::internal(format!("retention cannot be written: {error}")))?;
        self.store.run(move |store| store.put_setting(KEY, &text)).await?;
        *chosen = next;
        let now = next.over(self.configured);
        self.now.send_replace(now);
        Ok(now)
    }
}

/// 0: without end.
fn days(days: u64) -> Option<Duration> {
    (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
}

fn mebibytes(number: u64) -> Option<u64> {
    Some(number << 20).filter(|&bytes| bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(store: &Arc<Store>, keep_days: u64) -> Rule {
        let config = config::Recording { keep_days, ..config::Recording::default() };
        Rule::load((&config).into(), store.clone()).unwrap()
    }

    #[tokio::test]
    async fn what_was_set_holds_over_what_is_configured_and_the_rest_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let first = rule(&store, 30);
        assert_eq!((first.now().keep, first.now().max_bytes_per_source), (days(30), None));
        let mut seen = first.watch();
        first.set(Chosen { days: Some(0), ..Chosen::default() }).await.unwrap();
        assert!(seen.has_changed().unwrap());
        assert_eq!((seen.borrow_and_update().keep, first.now().keep_snapshots), (None, days(30)));
        first.set(Chosen { source_mb: Some(5), ..Chosen::default() }).await.unwrap();
        let wanted = Retention { keep: None, keep_snapshots: days(30), max_bytes_per_source: Some(5 << 20) };
        assert_eq!(first.now(), wanted);
        assert_eq!(rule(&store, 7).now(), wanted, "set once, the configuration no longer counts");
        let config = config::Recording { keep_snapshot_days: 9, ..config::Recording::default() };
        let later = Rule::load((&config).into(), store.clone()).unwrap();
        assert_eq!(later.now().keep_snapshots, days(9), "what was never set follows the configuration");
    }

    #[test]
    fn what_cannot_be_read_leaves_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.put_setting(KEY, "{\"days\":\"soon\"}").unwrap();
        assert_eq!(rule(&store, 3).now().keep, days(3));
    }
}
