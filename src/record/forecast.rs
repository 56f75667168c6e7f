//! How many days of footage a volume will hold when all goes on as in the last days. Pure functions: what
//! is known goes in, numbers come out.
//!
//! A volume's room is what lies on it and its part of what is still free above `keep_free_mb`; volumes on
//! one disk part that as they write. Retention by age and by the sources' shares ends it earlier. The sum
//! is one of means: it takes the sources of a volume as equally loud, and tomorrow as the last week.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::Retention;
use crate::store::Written;

/// Days that the mean is taken of, at most: a week has all its days in it.
const DAYS: i64 = 7;

/// What is known of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub name: String,
    /// Tells disks apart, and bytes free on it; `None` when it is not there.
    pub disk: Option<(u64, u64)>,
    /// Bytes that stay free.
    pub keep_free: u64,
    /// Bytes of footage that lie on it.
    pub used: u64,
    /// How many sources have footage on it.
    pub sources: u64,
}

/// What is to be expected of a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The mean of the last full days; `None` while nothing was written on one.
    pub bytes_per_day: Option<u64>,
    /// Whole days, rounded down; `None` also when the volume is not there.
    pub days: Option<u64>,
}

/// For each of `rooms`. `written` reaches back further than a week; `today` is as it has the days.
pub fn forecast(rooms: &[Room], written: &[Written], today: &str, retention: &Retention) -> Vec<Forecast> {
    let rates: Vec<_> = rooms.iter().map(|room| bytes_per_day(&room.name, written, today)).collect();
    let on_disk = |disk: u64| {
        let there = rooms.iter().zip(&rates).filter(|(room, _)| room.disk.is_some_and(|(at, _)| at == disk));
        there.filter_map(|(_, rate)| *rate).sum::<u64>()
    };
    let of = |(room, rate): (&Room, &Option<u64>)| {
        let days = (*rate).zip(room.disk).map(|(rate, (disk, free))| {
            let space = Space { free, rate, all: on_disk(disk) };
            days(room, &space, retention)
        });
        Forecast { bytes_per_day: *rate, days }
    };
    rooms.iter().zip(&rates).map(of).collect()
}

/// A disk, as one of its volumes has it.
struct Space {
    free: u64,
    /// Bytes a day, of the volume and of all on the disk.
    rate: u64,
    all: u64,
}

fn days(room: &Room, space: &Space, retention: &Retention) -> u64 {
    let more = i128::from(space.free) - i128::from(room.keep_free);
    let part = more * i128::from(space.rate) / i128::from(space.all.max(1));
    let holds = (i128::from(room.used) + part).max(0);
    let share =
        retention.max_bytes_per_source.map(|share| i128::from(share) * i128::from(room.sources.max(1)));
    let by_room = share.map_or(holds, |share| share.min(holds)) / i128::from(space.rate.max(1));
    let by_room = u64::try_from(by_room).unwrap_or(u64::MAX);
    let by_age = retention.keep.map(|keep| keep.as_secs() / (24 * 60 * 60));
    by_age.map_or(by_room, |by_age| by_age.min(by_room))
}

/// The mean of the last full days. Today is not over, and the first day that is known of a volume began
/// somewhere in its middle; days without a line are days on which nothing was written.
fn bytes_per_day(volume: &str, written: &[Written], today: &str) -> Option<u64> {
    let today: Date = today.parse().ok()?;
    let lines = written.iter().filter(|line| line.volume == volume);
    let lines: Vec<(Date, u64)> =
        lines.filter_map(|line| Some((line.day.parse().ok()?, line.bytes))).collect();
    let first = lines.iter().map(|(day, _)| *day).min()?;
    let back = |days: Span| today.checked_sub(days).ok();
    let from = first.tomorrow().ok()?.max(back(DAYS.days())?);
    let full = from.until(today).ok()?.get_days();
    let count = u64::try_from(full).ok().filter(|&count| count > 0)?;
    let inside = lines.iter().filter(|(day, _)| (from..today).contains(day));
    Some(inside.map(|(_, bytes)| bytes).sum::<u64>() / count).filter(|&mean| mean > 0)
}

#[cfg(test)]
mod tests;
