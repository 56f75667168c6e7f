//! What is well and what is not: sources, their recordings, volumes. From looks at them to news, when one turns.
//!
//! Nothing is ill at first, so that what connects for the first time is no news. What the news don't take now because
//! the like was told a moment ago is told by a later look, if it is so still. Memory: one entry for each ill thing.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::watch::Receiver;

use super::news::{Item, News, Note, Sort};
use crate::api::Context;
use crate::base::time::MonoTime;
use crate::base::wall::Wall;
use crate::media::stream::Status;
use crate::record::RecState;
use crate::record::volume::State;

/// How something is.
enum Health {
    Well(String),
    /// With the reason.
    Ill(String),
    /// As it was before, as far as anybody knows.
    Open,
}

/// Something that was looked at.
pub struct Finding {
    /// What is told when it is ill, and when it is well again.
    sorts: [Sort; 2],
    about: String,
    name: String,
    health: Health,
}

/// How sources and volumes are now.
pub fn findings(ctx: &Context) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in ctx.sources.list() {
        let mut add = |sorts, health| {
            let (about, name) = (source.spec.token.clone(), source.spec.name.clone());
            found.push(Finding { sorts, about, name, health });
        };
        let shown = match source.stream.status() {
            Status::Online => Health::Well("pictures arrive again".into()),
            Status::Offline { text, .. } => Health::Ill(text),
            Status::Idle | Status::Connecting => Health::Open,
        };
        add([Sort::Offline, Sort::Online], shown);
        let recorded = match ctx.recorder.rec_state(&source.spec.token) {
            (RecState::Recording, _) => Health::Well("it is recorded again".into()),
            (RecState::Trouble, text) => Health::Ill(text),
            (RecState::Idle | RecState::Waiting, _) => Health::Open,
        };
        add([Sort::NotRecorded, Sort::Recorded], recorded);
    }
    found.extend(ctx.recorder.volumes.list().iter().map(|volume| {
        let name = volume.name.clone();
        let health = match volume.state() {
            State::Online => Health::Well(format!("volume {name} can be used again")),
            State::Checking(_) => Health::Open,
            State::Full(text) | State::ReadOnly(text) | State::Gone(text) => Health::Ill(text),
        };
        let sorts = [Sort::StorageTrouble, Sort::StorageWell];
        Finding { sorts, about: name.clone(), name, health }
    }));
    found
}

/// What was told of each thing.
pub struct Levels {
    ill: HashSet<(Sort, String)>,
    /// What updates of the box came to.
    outcomes: Receiver<String>,
}

impl Levels {
    pub fn new(outcomes: Receiver<String>) -> Self {
        Self { ill: HashSet::new(), outcomes }
    }

    /// What is news of that.
    pub fn take(
        &mut self,
        findings: Vec<Finding>,
        news: &mut News,
        now: MonoTime,
        at: Wall,
    ) -> Vec<Arc<Item>> {
        let mut told = Vec::new();
        let mut tell = |sort, about: &str, name, text| {
            let item = news.tell(Note { sort, about: about.to_owned(), name, text }, now, at);
            let is_told = item.is_some();
            told.extend(item);
            is_told
        };
        let mut ill = HashSet::new();
        for Finding { sorts: [bad, good], about, name, health } in findings {
            let key = (bad, about);
            let was_ill = self.ill.contains(&key);
            let is_ill = match health {
                Health::Ill(text) if !was_ill => tell(bad, &key.1, name, text),
                Health::Well(text) if was_ill => !tell(good, &key.1, name, text),
                _ => was_ill,
            };
            if is_ill {
                ill.insert(key);
            }
        }
        self.ill = ill;
        // The last holder of the other end has this one's, too.
        if self.outcomes.has_changed().unwrap_or(false) {
            let outcome = self.outcomes.borrow().clone();
            if tell(Sort::Update, &outcome.clone(), String::new(), outcome) {
                self.outcomes.mark_unchanged();
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::watch;

    use super::*;

    fn source(health: Health) -> Finding {
        Finding { sorts: [Sort::Offline, Sort::Online], about: "a".into(), name: "A".into(), health }
    }

    #[test]
    fn a_source_that_comes_and_goes_is_told_of_once_a_minute() {
        let (_outcomes, receiver) = watch::channel(String::new());
        let (mut levels, mut news) = (Levels::new(receiver), News::default());
        let mut look = |seconds: u64, health| {
            let now = MonoTime::default() + Duration::from_secs(seconds);
            let told = levels.take(vec![source(health)], &mut news, now, Wall(0));
            told.iter()
                .map(|item| serde_json::to_value(&**item).unwrap()["strType"].clone())
                .collect::<Vec<_>>()
        };
        let (well, ill) = (|| Health::Well("back".into()), || Health::Ill("no route".into()));
        assert!(look(0, Health::Open).is_empty() && look(1, well()).is_empty(), "the first time");
        assert_eq!(look(2, ill()), ["offline"]);
        assert!(look(3, Health::Open).is_empty() && look(4, ill()).is_empty(), "another try");
        assert_eq!(look(5, well()), ["online"]);
        for seconds in (6..60).step_by(2) {
            assert!(look(seconds, ill()).is_empty() && look(seconds + 1, well()).is_empty());
        }
        // It lasts, so that it is told in the end.
        assert!(look(61, ill()).is_empty());
        assert_eq!(look(62, ill()), ["offline"]);
        assert!(look(63, ill()).is_empty());
        assert!(look(64, well()).is_empty());
        assert_eq!(look(65, well()), ["online"]);
    }

    #[test]
    fn an_update_is_told_of_when_it_ends() {
        let (outcomes, receiver) = watch::channel(String::new());
        let (mut levels, mut news) = (Levels::new(receiver), News::default());
        let mut look = |seconds: u64| {
            let now = MonoTime::default() + Duration::from_secs(seconds);
            levels.take(Vec::new(), &mut news, now, Wall(0)).len()
        };
        assert_eq!(look(0), 0);
        outcomes.send_replace("not for this box".into());
        assert_eq!((look(1), look(2)), (1, 0));
        outcomes.send_replace("not for this box".into());
        assert_eq!((look(3), look(61)), (0, 1));
    }
}
