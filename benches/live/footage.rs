//! Search among very many recordings: rows without files, put into a running daemon's database, as it
//! looks after its files only when it starts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::measure::quantile;
use crate::support::daemon::{Daemon, DaemonOptions};
use crate::support::http;
use crate::support::kept::{Footage, database};

/// Half a million recordings of ten minutes: sixteen cameras for 217 days.
const ROWS: i64 = 500_000;
const SOURCES: i64 = 16;
const LENGTH_MS: i64 = 600_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const DAYS: i64 = ROWS / SOURCES * LENGTH_MS / DAY_MS;
/// 2024-01-01T00:00:00Z
const FIRST: i64 = 1_704_067_200_000;
const ASKED: i64 = 200;
/// Rows in one commit: others that write wait for no longer.
const BATCH: i64 = 10_000;

/// Gives `daemon` so many recordings of `token1` to `token16`, each beginning where its last one ends.
pub fn fill(daemon: &Daemon, rows: i64) {
    let db = database(daemon.data_dir());
    for batch in (0..rows).step_by(BATCH as usize) {
        db.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        for row in batch..rows.min(batch + BATCH) {
            let token = format!("token{}", row % SOURCES + 1);
            let start = FIRST + row / SOURCES * LENGTH_MS;
            let path = format!("2024-1-1TZ0/0-0-0/{token}-{row:08x}.mp4");
            let end = start + LENGTH_MS;
            Footage { token: &token, path: &path, start, end, ..Footage::default() }.insert(&db, 300 << 20);
        }
        db.execute_batch("COMMIT").expect("a commit");
    }
}

/// Milliseconds that a day of one camera takes (half and nearly all of them), the most that one answer
/// holds, and a month's calendar, while the daemon commits as fast as it can.
pub fn search() -> Vec<f64> {
    let config = "[recording]\nkeep_days = 0\n".to_owned();
    let mut daemon = Daemon::start(DaemonOptions { config, ..DaemonOptions::default() });
    daemon.login();
    fill(&daemon, ROWS);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let path = [("token", "token1"), ("path", "record/token1/2024-1-1TZ0/0-0-0/token1-00000000.mp4")];
            while !done.load(Ordering::Relaxed) {
                daemon.api_ok("LockRecord", &path);
            }
        });
        let days = times(ASKED, |n| span(&daemon, n, 1));
        let most = times(ASKED / 10, |n| span(&daemon, n, 60));
        let months = times(ASKED, |n| {
            let (token, month) = (n % SOURCES + 1, n % 7 + 1);
            let call = "SearchDeviceRecordCalendar";
            get(&daemon, call, &format!("token=token{token}&year=2024&month={month}"));
        });
        done.store(true, Ordering::Relaxed);
        vec![quantile(&days, 0.5), quantile(&days, 0.95), quantile(&most, 0.95), quantile(&months, 0.95)]
    })
}

/// Asks for so many days of a camera, spread over all that there are.
fn span(daemon: &Daemon, n: i64, days: i64) {
    let token = n % SOURCES + 1;
    let first = n * 7919 % (DAYS - days);
    let date = |day: i64| jiff::Timestamp::from_millisecond(FIRST + day * DAY_MS).expect("a time");
    let (start, end) = (date(first), date(first + days));
    get(daemon, "Search", &format!("type=record&token=token{token}&start={start}&end={end}"));
}

fn get(daemon: &Daemon, call: &str, query: &str) {
    let answer = http::get(daemon.http, &format!("/api/v1/{call}?{query}&session={}", daemon.session));
    assert!(answer.body.starts_with(b"{\"record\":[{"), "{call} {query}: {}", answer.text());
}

fn times(count: i64, mut ask: impl FnMut(i64)) -> Vec<f64> {
    let mut time = |n| {
        let start = Instant::now();
        ask(n);
        start.elapsed().as_secs_f64() * 1000.0
    };
    (0..count).map(&mut time).collect()
}
