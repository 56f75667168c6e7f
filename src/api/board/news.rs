//! News: what happened lately, in short texts for people, the newest [`MOST`].
//!
//! What comes and goes must not drown the rest. Of each sort (going offline is one, coming back another) a source is
//! told of at most once in [`QUIET`]: a report that comes sooner is dropped, a state that changes sooner is told later,
//! if it still lasts then ([`super::levels`]). What cameras report takes at most [`REPORTS`] of the places.
//! Memory: about 100 KB of news, and one time for each sort and source within [`QUIET`].

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::base::time::MonoTime;
use crate::base::wall::{Offset, Wall};
use crate::onvif::events::{CameraEvent, EventKind};

/// News that are kept.
pub const MOST: usize = 200;
/// What cameras report, among them.
const REPORTS: usize = MOST / 2;
/// See the module.
const QUIET: Duration = Duration::from_secs(60);
/// Longest text, in characters.
const MAX_TEXT: usize = 200;

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    Offline,
    Online,
    Motion,
    Input,
    NotRecorded,
    Recorded,
    StorageTrouble,
    StorageWell,
    Update,
}

impl Sort {
    /// `strType`
    fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Online => "online",
            Self::Motion => "motion",
            Self::Input => "input",
            Self::NotRecorded | Self::Recorded => "record",
            Self::StorageTrouble | Self::StorageWell => "storage",
            Self::Update => "update",
        }
    }

    /// Of the box, not of a source.
    fn is_of_box(self) -> bool {
        matches!(self, Self::StorageTrouble | Self::StorageWell | Self::Update)
    }

    fn is_report(self) -> bool {
        matches!(self, Self::Motion | Self::Input)
    }
}

/// Something to be told.
#[derive(Clone, Debug)]
pub struct Note {
    pub sort: Sort,
    /// Token of the source, name of the volume, or what an update came to.
    pub about: String,
    pub name: String,
    pub text: String,
}

impl Note {
    /// What a camera reported that began.
    pub fn report(token: &str, name: String, event: &CameraEvent) -> Self {
        let (sort, what) = match event.kind {
            EventKind::Motion => (Sort::Motion, "motion"),
            EventKind::DigitalInput => (Sort::Input, "input active"),
        };
        let text = if event.item.is_empty() { what.to_owned() } else { format!("{what}: {}", event.item) };
        Self { sort, about: token.to_owned(), name, text }
    }
}

/// One of the news, as `GetNews` has it.
#[derive(Debug, Serialize)]
pub struct Item {
    /// With zone.
    #[serde(rename = "strTime")]
    time: String,
    #[serde(rename = "strType")]
    kind: &'static str,
    /// The source's; empty for news of the box.
    #[serde(rename = "strToken")]
    pub token: String,
    #[serde(rename = "strName")]
    name: String,
    #[serde(rename = "strText")]
    text: String,
    #[serde(skip)]
    sort: Sort,
}

/// See the module.
#[derive(Debug, Default)]
pub struct News {
    /// Oldest first.
    kept: VecDeque<Arc<Item>>,
    /// What was told within [`QUIET`], and when.
    recent: HashMap<(Sort, String), MonoTime>,
}

impl News {
    /// Keeps it, unless the like was told a moment ago.
    pub fn tell(&mut self, note: Note, now: MonoTime, at: Wall) -> Option<Arc<Item>> {
        self.recent.retain(|_, told| now.since(*told) < QUIET);
        let Note { sort, about, name, text } = note;
        let key = (sort, about.clone());
        if self.recent.contains_key(&key) {
            return None;
        }
        self.recent.insert(key, now);
        let item = Arc::new(Item {
            time: at.iso(Offset::local(at)),
            kind: sort.as_str(),
            token: if sort.is_of_box() { String::new() } else { about },
            name,
            text: text.chars().take(MAX_TEXT).collect(),
            sort,
        });
        self.make_room(sort);
        self.kept.push_back(item.clone());
        Some(item)
    }

    fn make_room(&mut self, sort: Sort) {
        let mut reports = self.kept.iter().enumerate().filter(|(_, item)| item.sort.is_report());
        let oldest = reports.next().map(|(place, _)| place);
        if sort.is_report() && 1 + reports.count() >= REPORTS {
            oldest.and_then(|place| self.kept.remove(place));
        } else if self.kept.len() >= MOST {
            self.kept.pop_front();
        }
    }

    /// Those that are to be seen, newest first.
    pub fn newest<'a>(&'a self, sees: impl Fn(&Item) -> bool + 'a) -> impl Iterator<Item = &'a Item> {
        self.kept.iter().rev().map(|item| &**item).filter(move |item| sees(item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(sort: Sort, about: &str) -> Note {
        Note { sort, about: about.into(), name: format!("Cam {about}"), text: "why".into() }
    }

    fn at(seconds: u64) -> MonoTime {
        MonoTime::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn repeats_are_dropped_for_a_minute() {
        let mut news = News::default();
        let mut tell =
            |sort, about: &str, seconds| news.tell(note(sort, about), at(seconds), Wall(0)).is_some();
        assert!(tell(Sort::Motion, "a", 0));
        assert!(!tell(Sort::Motion, "a", 59));
        assert!(tell(Sort::Motion, "b", 59) && tell(Sort::Input, "a", 59));
        assert!(tell(Sort::Motion, "a", 60));
        assert!(tell(Sort::NotRecorded, "a", 61) && tell(Sort::Recorded, "a", 62));
        assert!(news.recent.len() <= 5);
        assert_eq!(news.newest(|item| item.token == "b").count(), 1);
    }

    #[test]
    fn the_ring_is_bounded_and_keeps_a_place_for_what_is_rare() {
        let mut news = News::default();
        news.tell(note(Sort::Offline, "first"), at(0), Wall(0)).unwrap();
        for number in 0..3 * MOST {
            news.tell(note(Sort::Motion, &number.to_string()), at(1), Wall(0)).unwrap();
        }
        assert_eq!(news.kept.len(), REPORTS + 1);
        assert_eq!(news.newest(|_| true).last().unwrap().token, "first");
        assert_eq!(news.newest(|_| true).next().unwrap().token, (3 * MOST - 1).to_string());
        for number in 0..3 * MOST {
            news.tell(note(Sort::Offline, &number.to_string()), at(2), Wall(0)).unwrap();
        }
        assert_eq!(news.kept.len(), MOST);
        assert!(news.kept.iter().all(|item| item.sort == Sort::Offline));
    }

    #[test]
    fn an_item_is_as_the_calls_have_it() {
        let mut news = News::default();
        let event = CameraEvent { kind: EventKind::DigitalInput, item: "DI_1".into(), active: true };
        news.tell(Note::report("a", "Gate".into(), &event), at(0), Wall(0)).unwrap();
        let long = Note { text: "x".repeat(MAX_TEXT + 1), ..note(Sort::StorageTrouble, "disk") };
        news.tell(long, at(0), Wall(0)).unwrap();
        let shown: Vec<_> = news.newest(|_| true).map(|item| serde_json::to_value(item).unwrap()).collect();
        let time = Wall(0).iso(Offset::local(Wall(0)));
        let expected = serde_json::json!({
            "strTime": time, "strType": "input", "strToken": "a", "strName": "Gate",
            "strText": "input active: DI_1",
        });
        assert_eq!(shown[1].to_string(), expected.to_string());
        assert_eq!((&shown[0]["strToken"], &shown[0]["strType"]), (&"".into(), &"storage".into()));
        assert_eq!(shown[0]["strText"].as_str().unwrap().len(), MAX_TEXT);
    }
}
