//! The table `events`: what cameras reported. Bounded by [`Store::prune_events`].

use rusqlite::{Row, params};

use super::Store;
use crate::base::Result;
use crate::base::wall::Wall;

/// Rows that one deletion takes, so that others get at the database in between.
const BATCH: usize = 1000;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// 0 before it is in the database.
    pub id: i64,
    pub source: String,
    pub at: Wall,
    /// `motion` or `digital_input`.
    pub kind: String,
    pub item: String,
    pub active: bool,
}

/// What [`Store::find_events`] looks for.
#[derive(Clone, Debug)]
pub struct EventSearch {
    pub source: String,
    /// Within `from..=to`.
    pub from: Wall,
    pub to: Wall,
    /// `None`: any.
    pub kind: Option<String>,
    /// Time and number of an event: only what comes behind it.
    pub after: Option<(Wall, i64)>,
    pub limit: usize,
}

impl Store {
    /// Adds them in one commit; their ids are not looked at.
    pub fn insert_events(&self, events: &[EventRow]) -> Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        {
            let mut insert = change.prepare_cached(
                "INSERT INTO events (source, at, kind, item, active) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for event in events {
                insert.execute(params![event.source, event.at.0, event.kind, event.item, event.active])?;
            }
        }
        Ok(change.commit()?)
    }

    /// By time, at most `limit`.
    pub fn find_events(&self, search: &EventSearch) -> Result<Vec<EventRow>> {
        let db = self.reader();
        let mut query = db.prepare_cached(
            "SELECT id, source, at, kind, item, active FROM events
             WHERE source = ?1 AND at >= ?2 AND at <= ?3 AND (at > ?2 OR id > ?4)
               AND (?5 IS NULL OR kind = ?5)
             ORDER BY at, id LIMIT ?6",
        )?;
        let (from, id) = search.after.filter(|after| after.0 >= search.from).unwrap_or((search.from, 0));
        let limit = i64::try_from(search.limit).unwrap_or(i64::MAX);
        let rows =
            query.query_map(params![search.source, from.0, search.to.0, id, search.kind, limit], event)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether there is any of `source`.
    pub fn has_events(&self, source: &str) -> Result<bool> {
        Ok(self.reader().prepare_cached("SELECT 1 FROM events WHERE source = ?1")?.exists([source])?)
    }

    /// Deletes what happened before `before`, and what is more than `most`, oldest first; how many. Looks at
    /// the rows in the order in which they came, so that it costs as much as it deletes.
    pub fn prune_events(&self, before: Wall, most: u32) -> Result<usize> {
        let mut all = 0;
        loop {
            let gone = self.db().prepare_cached(&prune())?.execute(params![before.0, most])?;
            all += gone;
            if gone == 0 {
                return Ok(all);
            }
        }
    }
}

/// Ids grow without holes but those of failed commits, so that they count the rows well enough.
fn prune() -> String {
    format!(
        "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT {BATCH})
           AND (at < ?1 OR id <= (SELECT max(id) FROM events) - ?2)"
    )
}

fn event(row: &Row) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        id: row.get(0)?,
        source: row.get(1)?,
        at: Wall(row.get(2)?),
        kind: row.get(3)?,
        item: row.get(4)?,
        active: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: &str, at: i64, kind: &str) -> EventRow {
        let (source, kind) = (source.into(), kind.into());
        EventRow { id: 0, source, at: Wall(at), kind, item: "i".into(), active: at % 2 == 0 }
    }

    fn search(source: &str) -> EventSearch {
        EventSearch {
            source: source.into(),
            from: Wall(0),
            to: Wall(i64::MAX),
            kind: None,
            after: None,
            limit: 1_000_000,
        }
    }

    fn times(store: &Store, search: &EventSearch) -> Vec<i64> {
        store.find_events(search).unwrap().iter().map(|event| event.at.0).collect()
    }

    #[test]
    fn found_by_source_time_and_kind_in_pages() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut events: Vec<_> = [5, 1, 3, 3, 9].map(|n| at("a", n, "motion")).into();
        events.extend([at("b", 2, "motion"), at("a", 4, "digital_input")]);
        store.insert_events(&events).unwrap();
        assert_eq!(times(&store, &search("a")), [1, 3, 3, 4, 5, 9]);
        let span = EventSearch { from: Wall(3), to: Wall(5), ..search("a") };
        assert_eq!(times(&store, &span), [3, 3, 4, 5]);
        let inputs = EventSearch { kind: Some("digital_input".into()), ..search("a") };
        assert_eq!(times(&store, &inputs), [4]);
        let first = EventSearch { limit: 2, ..search("a") };
        let last = store.find_events(&first).unwrap().pop().unwrap();
        assert_eq!(
            times(&store, &EventSearch { after: Some((last.at, last.id)), ..search("a") }),
            [3, 4, 5, 9]
        );
        assert!(store.has_events("b").unwrap() && !store.has_events("c").unwrap());
    }

    #[test]
    fn the_oldest_go_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let events: Vec<_> = (0..2500).map(|n| at("a", n, "motion")).collect();
        store.insert_events(&events).unwrap();
        assert_eq!(store.prune_events(Wall(100), 10_000).unwrap(), 100);
        assert_eq!(store.prune_events(Wall(100), 10_000).unwrap(), 0);
        assert_eq!(store.prune_events(Wall(0), 300).unwrap(), 2100);
        let left = times(&store, &search("a"));
        assert_eq!((left.len(), left[0]), (300, 2200));
    }
}
