use rusqlite::types::Value;
use tempfile::TempDir;

use super::*;

const HOUR: i64 = 60 * 60 * 1000;

fn entry(what: What, token: &str, name: &str, start: i64, end: i64) -> Footage {
    Footage {
        id: 0,
        what,
        token: token.into(),
        cause: Cause::Manual,
        volume: "main".into(),
        path: format!("{}/{token}/2018-3-29TZ8/20-3-29/{name}.{}", what.as_str(), what.extension()),
        start: Wall(start),
        end: Wall(end),
        offset: Offset(480),
        bytes: 5,
        open: false,
        locked: false,
    }
}

fn store() -> (TempDir, std::sync::Arc<Store>) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

fn names(found: &[Footage]) -> Vec<&str> {
    found.iter().filter_map(|found| found.path.rsplit('/').next()).collect()
}

fn search(token: &str, from: i64, to: i64) -> Search<'_> {
    Search { what: What::Record, token, from: Wall(from), to: Wall(to), cause: None, after: None, limit: 100 }
}

#[test]
fn what_overlaps_is_found_by_start() {
    let (_dir, store) = store();
    for (name, start, end) in [("c", 30, 40), ("a", 10, 20), ("b", 20, 30), ("long", 5, 45)] {
        store.insert_footage(&entry(What::Record, "t", name, start * HOUR / 60, end * HOUR / 60)).unwrap();
    }
    store.insert_footage(&entry(What::Snapshot, "t", "s", 20, 20)).unwrap();
    store.insert_footage(&entry(What::Record, "u", "other", 20 * HOUR / 60, HOUR)).unwrap();
    let running = Footage { open: true, ..entry(What::Record, "t", "open", 1, 1) };
    store.insert_footage(&running).unwrap();
    let find = |from: i64, to: i64| {
        let found = store.search_footage(&search("t", from * HOUR / 60, to * HOUR / 60)).unwrap();
        names(&found).into_iter().map(|name| name.trim_end_matches(".mp4").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(find(0, 60), ["open", "long", "a", "b", "c"]);
    assert_eq!(find(20, 30), ["open", "long", "b"]);
    assert_eq!(find(42, 60), ["open", "long"]);
    assert_eq!(find(45, 60), ["open"]);
    assert_eq!(find(0, 0), [""; 0]);
}

#[test]
fn pages_hold_each_entry_once() {
    let (_dir, store) = store();
    // Four that begin at once, in the middle of others that overlap each other.
    for n in 0..12 {
        let start = if (4..8).contains(&n) { 4 } else { n };
        store.insert_footage(&entry(What::Record, "t", &format!("{n:02}"), start, start + 5)).unwrap();
    }
    for limit in 1..6 {
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let page = store.search_footage(&Search { after, limit, ..search("t", 3, 100) }).unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.start, last.id));
            all.extend(names(&page).into_iter().map(|name| name[..2].parse::<i64>().unwrap()));
        }
        assert_eq!(all, Vec::from_iter(0..12), "limit {limit}");
    }
}

#[test]
fn the_cause_is_chosen_by() {
    let (_dir, store) = store();
    store.insert_footage(&entry(What::Record, "t", "manual", 1, 2)).unwrap();
    let alarm = Footage { cause: Cause::Alarm, ..entry(What::Record, "t", "alarm", 2, 3) };
    store.insert_footage(&alarm).unwrap();
    let found = store.search_footage(&Search { cause: Some(Cause::Alarm), ..search("t", 0, 9) }).unwrap();
    assert_eq!(names(&found), ["alarm.mp4"]);
}

#[test]
fn a_name_is_found_in_its_source_only() {
    let (_dir, store) = store();
    for (token, name, start) in [("t", "gate", 1), ("t1", "gate", 2), ("t", "a-gate", 3), ("t0", "gate", 4)] {
        store.insert_footage(&entry(What::Record, token, name, start, start)).unwrap();
    }
    let later = Footage {
        path: "record/t/2018-3-30TZ8/1-1-1/gate.mp4".into(),
        ..entry(What::Record, "t", "gate", 9, 9)
    };
    store.insert_footage(&later).unwrap();
    let start =
        |token: &str, name: &str| store.recording_by_name(token, name).unwrap().map(|found| found.start.0);
    assert_eq!(start("t", "gate.mp4"), Some(9));
    assert_eq!(start("t1", "gate.mp4"), Some(2));
    assert_eq!(start("t", "gate"), None);
    assert_eq!(start("t", "%.mp4"), None);
    assert!(store.has_footage("t0").unwrap() && !store.has_footage("t2").unwrap());
}

#[test]
fn searches_see_what_was_committed_and_change_nothing() {
    let (_dir, store) = store();
    let id = store.insert_footage(&entry(What::Record, "t", "a", 1, 2)).unwrap();
    store.lock_footage(id, true).unwrap();
    assert!(store.footage(id).unwrap().unwrap().locked);
    store.delete_footage(id).unwrap();
    assert!(store.footage(id).unwrap().is_none());
    assert!(store.reader().execute("DELETE FROM footage", []).is_err());
    // Not held up by whoever writes.
    let writing = store.db();
    writing.execute_batch("BEGIN IMMEDIATE; DELETE FROM footage").unwrap();
    assert!(!store.has_footage("t").unwrap());
}

/// How SQLite goes about `sql`; a parameter's value does not matter.
fn plan(store: &Store, sql: &str) -> String {
    let db = store.reader();
    let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let none = vec![Value::Null; plan.parameter_count()];
    let lines = plan.query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(3)).unwrap();
    lines.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("; ")
}

#[test]
fn indexes_are_used() {
    let (_dir, store) = store();
    assert_eq!(
        plan(&store, &by_time()),
        "SEARCH footage USING INDEX footage_by_source (token=? AND what=? AND start_ms>? AND start_ms<?)"
    );
    assert_eq!(
        plan(&store, BEGAN),
        "SEARCH footage USING COVERING INDEX footage_by_source (token=? AND what=? AND start_ms>? AND start_ms<?)"
    );
    let by_name = plan(&store, &by_name());
    assert!(
        by_name.contains("USING COVERING INDEX sqlite_autoindex_footage_1 (path>? AND path<?)"),
        "{by_name}"
    );
    assert!(!by_name.contains("SCAN"), "{by_name}");
}
