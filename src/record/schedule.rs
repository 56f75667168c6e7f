//! Schedules: in which hours of the week a source is recorded without being asked, and how often it is
//! pictured. Kept in the database; one small entry per source in memory.
//!
//! One task for all sources ([`run`]) looks at every full hour of local time, and once a minute, so that a
//! clock that was set is noticed soon.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tokio::sync::Notify;

use super::Recorder;
use crate::base::{Error, Result};
use crate::store::{ScheduleRow, Store};

/// Hours of a week.
const HOURS: usize = 7 * 24;
/// Longest time between two looks.
const LOOK: Duration = Duration::from_secs(60);

/// The hours of a week, from Monday 0:00 on, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week([bool; HOURS]);

/// What is kept of a source without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub week: Week,
    /// A snapshot is taken so often.
    pub snapshots: Option<Duration>,
}

impl Week {
    pub const NEVER: Self = Self([false; HOURS]);
    pub const ALWAYS: Self = Self([true; HOURS]);

    /// From the parameter `week`: 168 characters `0` or `1`, or `always`, or `never`.
    ///
    /// # Errors
    /// `BadInput` naming the parameter.
    pub fn parse(given: &str) -> Result<Self> {
        match given {
            "always" => return Ok(Self::ALWAYS),
            "never" => return Ok(Self::NEVER),
            _ => {}
        }
        let hour = |c| match c {
            b'0' => Some(false),
            b'1' => Some(true),
            _ => None,
        };
        let hours: Option<Vec<bool>> = given.bytes().map(hour).collect();
        hours.and_then(|hours| hours.try_into().ok()).map(Self).ok_or_else(|| {
            Error::bad_input(
                "parameter week is neither always nor never nor 168 times 0 or 1 (hours from Monday 0:00)",
            )
        })
    }

    /// Whether that hour is one of them.
    pub fn contains(&self, at: DateTime) -> bool {
        let day = at.weekday().to_monday_zero_offset() as usize;
        self.0.get(day * 24 + at.hour() as usize).copied().unwrap_or(false)
    }
}

impl std::fmt::Display for Week {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|&on| f.write_str(if on { "1" } else { "0" }))
    }
}

/// Those of all sources.
pub struct Schedules {
    store: Arc<Store>,
    all: Mutex<HashMap<String, Schedule>>,
    changed: Notify,
}

impl Schedules {
    /// Reads them from the database. One that cannot be read is named in the log and does nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(store: Arc<Store>) -> Result<Self> {
        let mut all = HashMap::new();
        for row in store.schedules()? {
            match Week::parse(&row.week) {
                Ok(week) => {
                    let seconds = u64::from(row.snapshot_seconds);
                    let snapshots = Some(Duration::from_secs(seconds)).filter(|every| !every.is_zero());
                    all.insert(row.token, Schedule { week, snapshots });
                }
                Err(error) => tracing::error!(token = row.token, "schedule: {error}"),
            }
        }
        Ok(Self { store, all: Mutex::new(all), changed: Notify::new() })
    }

    /// The schedule of a source; nothing at all where none was set.
    pub fn get(&self, token: &str) -> Schedule {
        let nothing = Schedule { week: Week::NEVER, snapshots: None };
        self.lock().get(token).copied().unwrap_or(nothing)
    }

    /// Stores it; it holds at once.
    ///
    /// # Errors
    /// When the database fails; then the old one stays.
    pub async fn set(&self, token: &str, schedule: Schedule) -> Result<()> {
        let row = ScheduleRow {
            token: token.to_owned(),
            week: schedule.week.to_string(),
            snapshot_seconds: schedule.snapshots.map_or(0, |every| every.as_secs() as u32),
        };
        self.store.run(move |store| store.put_schedule(&row)).await?;
        self.lock().insert(token.to_owned(), schedule);
        self.changed.notify_one();
        Ok(())
    }

    /// Forgets it: its source is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, token: &str) -> Result<()> {
        let gone = token.to_owned();
        self.store.run(move |store| store.delete_schedule(&gone)).await?;
        self.lock().remove(token);
        Ok(())
    }

    /// Has the sources looked at again.
    pub fn look(&self) {
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Schedule>> {
        // Map operations leave the map valid.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// What is kept of a source without being asked.
    pub fn schedule(&self, token: &str) -> Schedule {
        self.schedules.get(token)
    }

    /// Changes that; recordings start and stop at once.
    ///
    /// # Errors
    /// When the database fails; then nothing changes.
    pub async fn set_schedule(&self, token: &str, schedule: Schedule) -> Result<()> {
        self.schedules.set(token, schedule).await
    }

    /// Forgets it: its source is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_schedule(&self, token: &str) -> Result<()> {
        self.schedules.remove(token).await
    }

    /// How often a source is to be pictured.
    pub fn snapshot_interval(&self, token: &str) -> Option<Duration> {
        self.schedules.get(token).snapshots
    }
}

/// Starts and stops the recordings of the schedules until the daemon stops.
pub async fn run(recorder: Arc<Recorder>) {
    loop {
        let now = local(recorder.clock.wall());
        for token in recorder.tokens() {
            let wanted = recorder.schedules.get(&token).week.contains(now.datetime());
            recorder.follow_schedule(&token, wanted);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK.min(to_next_hour(now.datetime()))) => {}
            () = recorder.schedules.changed.notified() => {}
            () = recorder.shutdown.cancelled() => return,
        }
    }
}

fn local(at: SystemTime) -> Zoned {
    Timestamp::try_from(at).unwrap_or_default().to_zoned(TimeZone::system())
}

/// A little more, so that the look is not a moment too early.
fn to_next_hour(at: DateTime) -> Duration {
    let passed = u64::from(at.minute().unsigned_abs()) * 60 + u64::from(at.second().unsigned_abs());
    let passed = Duration::new(passed, at.subsec_nanosecond().unsigned_abs());
    Duration::from_secs(60 * 60).saturating_sub(passed) + Duration::from_millis(10)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        let mut hours = [b'0'; HOURS];
        hours[0] = b'1';
        hours[HOURS - 1] = b'1';
        let text = String::from_utf8(hours.to_vec()).unwrap();
        let week = Week::parse(&text).unwrap();
        assert_eq!(week.to_string(), text);
        // 2026-03-30 is a Monday.
        let on = |day, hour| week.contains(date(2026, 3, day).at(hour, 59, 59, 0));
        assert_eq!(
            [on(30, 0), on(30, 1), on(29, 22), on(29, 23), on(31, 0)],
            [true, false, false, true, false]
        );
        assert!(Week::parse("always").unwrap().contains(date(2026, 3, 31).at(5, 0, 0, 0)));
        assert_eq!(Week::parse("never").unwrap(), Week::NEVER);
    }

    #[test]
    fn bad_weeks_are_refused_by_name() {
        for bad in ["", "01", &"1".repeat(167), &"1".repeat(169), &"2".repeat(168), "Always"] {
            let error = Week::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("parameter week "), "{error}");
        }
    }

    #[test]
    fn the_next_look_is_just_after_the_hour() {
        let almost = date(2026, 3, 29).at(1, 59, 59, 900_000_000);
        assert_eq!(to_next_hour(almost), Duration::from_millis(110));
        let full = date(2026, 3, 29).at(1, 0, 0, 0);
        assert_eq!(to_next_hour(full), Duration::from_millis(3_600_010));
    }

    #[tokio::test]
    async fn kept_in_the_database() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let schedules = Schedules::load(store.clone()).unwrap();
        let set = Schedule { week: Week::ALWAYS, snapshots: Some(Duration::from_secs(5)) };
        schedules.set("token1", set).await.unwrap();
        assert_eq!(Schedules::load(store.clone()).unwrap().get("token1"), set);
        schedules.remove("token1").await.unwrap();
        let none = Schedule { week: Week::NEVER, snapshots: None };
        assert_eq!((schedules.get("token1"), Schedules::load(store).unwrap().get("token1")), (none, none));
    }
}
