//! Wall time as recordings, searches and folders use it: milliseconds since 1970 in UTC, shown in the
//! zone of whoever asks. Forms that clients send are understood in [`Wall::parse`].

mod parse;

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// Distance of a zone from UTC in minutes, positive to the east; within a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Offset(pub i16);

impl From<SystemTime> for Wall {
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        })
    }
}

impl Wall {
    /// A moment `millis` later.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// As the manual writes it: `2018-04-25T19:32:05+08:00`.
    pub fn iso(self, offset: Offset) -> String {
        let (sign, minutes) = if offset.0 < 0 { ('-', -offset.0) } else { ('+', offset.0) };
        let time = self.civil(offset).strftime("%Y-%m-%dT%H:%M:%S");
        format!("{time}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// Folders of the manual: `2018-3-29TZ8` and `20-3-29` (hour, minute, second), in that zone.
    pub fn folders(self, offset: Offset) -> (String, String) {
        let at = self.civil(offset);
        let day = format!("{}-{}-{}TZ{}", at.year(), at.month(), at.day(), offset.hours());
        (day, format!("{}-{}-{}", at.hour(), at.minute(), at.second()))
    }

    /// The clock on the wall in that zone. Moments beyond the calendar become its ends.
    fn civil(self, offset: Offset) -> DateTime {
        let millis = self.0.saturating_add(i64::from(offset.0) * 60_000);
        let fallback = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let at = Timestamp::from_millisecond(millis).unwrap_or(fallback);
        jiff::tz::Offset::UTC.to_datetime(at)
    }
}

impl Offset {
    /// Of this machine's zone at that moment (daylight saving included).
    pub fn local(at: Wall) -> Self {
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
        Self((TimeZone::system().to_offset(at).seconds() / 60) as i16)
    }

    /// Hours as `tz` and the day folder have them: `8`, `-8`, `5.5`.
    pub fn hours(self) -> String {
        format!("{}", f64::from(self.0) / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_in_the_zone_of_the_offset() {
        let at = Wall(1_524_655_925_000);
        assert_eq!(at.iso(Offset(480)), "2018-04-25T19:32:05+08:00");
        assert_eq!(at.iso(Offset(-210)), "2018-04-25T08:02:05-03:30");
        assert_eq!(at.folders(Offset(480)), ("2018-4-25TZ8".into(), "19-32-5".into()));
        assert_eq!(at.folders(Offset(330)).0, "2018-4-25TZ5.5");
        assert_eq!(at.folders(Offset(-480)).0, "2018-4-25TZ-8");
        assert!(Wall(i64::MIN).iso(Offset(0)).starts_with('-'));
    }
}
