//! Where footage is put: names and folders that come from outside are checked here before anything
//! touches the disk, and made into the path below a volume's root, which is also that below
//! `/mediastore/` (manual 5.5.4 and 5.5.6).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::base::footage::What;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::store::Store;

/// Longest file name that is taken, in bytes, without its extension.
pub const MAX_FILE_NAME: usize = 100;

/// Zones lie between these, in minutes.
const ZONES: std::ops::RangeInclusive<i32> = -12 * 60..=14 * 60;

/// A file name from outside, without extension: 1 to [`MAX_FILE_NAME`] bytes of letters and digits of any
/// script, blanks and `. _ - + ( )`; no leading dot and no two dots in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Checks the parameter `filename`; an extension `.mp4` or `.jpg` is taken off.
    ///
    /// # Errors
    /// `BadInput` naming the parameter.
    pub fn parse(given: &str) -> Result<Self> {
        let bad = |what: &str| Err(Error::bad_input(format!("parameter filename {what}")));
        let name = given.trim();
        let stem = [".mp4", ".jpg"].iter().find_map(|extension| name.strip_suffix(extension));
        let name = stem.unwrap_or(name);
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-' | '+' | '(' | ')');
        if name.is_empty() {
            return bad("holds no name");
        }
        if name.len() > MAX_FILE_NAME {
            return bad(&format!("is longer than {MAX_FILE_NAME} bytes"));
        }
        if !name.chars().all(plain) {
            return bad("may hold only letters, digits, blanks and . _ - + ( )");
        }
        if name.starts_with('.') || name.contains("..") {
            return bad("may not start with a dot or hold two in a row");
        }
        Ok(Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The two folders of an entry, with the zone that the first one names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    day: String,
    time: String,
    pub offset: Offset,
}

impl Folders {
    /// Of that moment, in this machine's zone.
    pub fn at(moment: Wall) -> Self {
        let offset = Offset::local(moment);
        let (day, time) = moment.folders(offset);
        Self { day, time, offset }
    }

    /// From the parameters `start1` (`2018-3-29`), `start2` (`20-3-29`: hour, minute, second) and `tz`
    /// (hours east of UTC: `8`, `-8`, `+5.5`; absent: this machine's zone). Folders are written without
    /// leading zeros, as the manual has them.
    ///
    /// # Errors
    /// `BadInput` naming the parameter.
    pub fn parse(start1: &str, start2: &str, tz: Option<&str>) -> Result<Self> {
        let date = date(start1)?;
        let time = time(start2)?;
        let at = DateTime::from_parts(date, time);
        let offset = match tz {
            Some(tz) => zone(tz)?,
            None => local(at),
        };
        let day = format!("{}-{}-{}TZ{}", at.year(), at.month(), at.day(), offset.hours());
        let time = format!("{}-{}-{}", at.hour(), at.minute(), at.second());
        Ok(Self { day, time, offset })
    }

    /// Below the volume's root and below `/mediastore/`: `record/token1/2018-3-29TZ8/20-3-29/name.mp4`.
    pub fn path(&self, what: What, token: &str, name: &str) -> String {
        let Self { day, time, .. } = self;
        format!("{}/{token}/{day}/{time}/{name}.{}", what.as_str(), what.extension())
    }
}

/// A name for footage that nobody named: `<token>-<8 hex>`.
pub fn own_name(token: &str) -> String {
    format!("{token}-{:08x}", rand::random::<u32>())
}

/// A path from a checked name that nothing uses yet. Blocks.
///
/// # Errors
/// `Refused` naming the parameter `filename` when there is footage at that path.
pub fn named_path(
    store: &Store,
    folders: &Folders,
    what: What,
    token: &str,
    name: &FileName,
) -> Result<String> {
    let path = folders.path(what, token, name.as_str());
    match store.footage_by_path(&path)? {
        Some(_) => Err(Error::refused(format!("parameter filename: there is {path} already"))),
        None => Ok(path),
    }
}

/// A path with a name of our own that nothing uses yet. Blocks.
///
/// # Errors
/// When the database fails.
pub fn own_path(store: &Store, folders: &Folders, what: What, token: &str) -> Result<String> {
    loop {
        let path = folders.path(what, token, &own_name(token));
        if store.footage_by_path(&path)?.is_none() {
            return Ok(path);
        }
    }
}

fn date(given: &str) -> Result<Date> {
    let parsed = numbers(given).and_then(|[year, month, day]| {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Date::new(year, month, day).ok().filter(|date| date.year() >= 1970)
    });
    parsed.ok_or_else(|| Error::bad_input("parameter start1 is not a date like 2018-3-29"))
}

fn time(given: &str) -> Result<Time> {
    let parsed = numbers(given).and_then(|parts| {
        let [hour, minute, second] = parts.map(|part| i8::try_from(part).unwrap_or(-1));
        Time::new(hour, minute, second, 0).ok()
    });
    parsed.ok_or_else(|| {
        Error::bad_input("parameter start2 is not a time of day like 20-3-29 (hour-minute-second)")
    })
}

/// Three numbers of at most four digits each, with `-` between them.
fn numbers(given: &str) -> Option<[i16; 3]> {
    let number = |part: &str| match part.len() {
        1..=4 if part.bytes().all(|b| b.is_ascii_digit()) => part.parse().ok(),
        _ => None,
    };
    let parts: Option<Vec<i16>> = given.split('-').map(number).collect();
    parts?.try_into().ok()
}

/// A blank in front is a `+` that was decoded once too often.
fn zone(given: &str) -> Result<Offset> {
    let bad = || Error::bad_input("parameter tz is not a zone in hours from -12 to 14, like 8, -8 or 5.5");
    let given = given.trim();
    let (west, digits) = match given.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, given.strip_prefix('+').unwrap_or(given)),
    };
    let (hours, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let minutes = match part {
        "0" | "00" => 0,
        "25" => 15,
        "5" | "50" => 30,
        "75" => 45,
        _ => return Err(bad()),
    };
    if !matches!(hours.len(), 1..=2) || !hours.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let total = hours.parse::<i32>().map_err(|_| bad())? * 60 + minutes;
    let total = if west { -total } else { total };
    if !ZONES.contains(&total) {
        return Err(bad());
    }
    i16::try_from(total).map(Offset).map_err(|_| bad())
}

/// Of this machine's zone when its clocks show `at`.
fn local(at: DateTime) -> Offset {
    let offset = TimeZone::system().to_ambiguous_timestamp(at).compatible().ok();
    let shown = offset.map(|at| Wall(at.as_millisecond())).unwrap_or_default();
    Offset::local(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_stay_inside_their_folder() {
        let good = [
            ("gate", "gate"),
            ("gate.mp4", "gate"),
            (" 大门 (1)_a+b-2.5.jpg ", "大门 (1)_a+b-2.5"),
            ("mp4", "mp4"),
        ];
        for (given, name) in good {
            assert_eq!(FileName::parse(given).unwrap().as_str(), name);
        }
        let long = "a".repeat(MAX_FILE_NAME + 1);
        let bad = [
            "",
            " ",
            ".mp4",
            ".hidden",
            "..",
            "a..b",
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "a:b",
            "a?b",
            "a%b",
            "a\u{202e}b",
            &long,
        ];
        for given in bad {
            let error = FileName::parse(given).expect_err(given).to_string();
            assert!(error.starts_with("parameter filename "), "{given:?}: {error}");
        }
        assert!(FileName::parse(&"a".repeat(MAX_FILE_NAME)).is_ok());
    }

    #[test]
    fn the_manuals_path() {
        let folders = Folders::parse("2018-3-29", "20-3-29", Some("8")).unwrap();
        let path = folders.path(What::Record, "token1", "filename");
        assert_eq!(path, "record/token1/2018-3-29TZ8/20-3-29/filename.mp4");
        let padded = Folders::parse("2018-03-29", "20-03-29", Some("+8")).unwrap();
        assert_eq!(padded, folders);
    }

    #[test]
    fn zones() {
        let day = |tz| Folders::parse("2018-3-29", "0-0-0", Some(tz)).map(|folders| folders.day);
        let good = [
            ("8", "8"),
            ("-8", "-8"),
            ("+8", "8"),
            (" 8", "8"),
            ("08", "8"),
            ("5.5", "5.5"),
            ("-3.50", "-3.5"),
        ];
        for (tz, shown) in good {
            assert_eq!(day(tz).unwrap(), format!("2018-3-29TZ{shown}"));
        }
        assert_eq!(day("-0").unwrap(), "2018-3-29TZ0");
        for tz in ["", "x", "15", "-13", "14.5", "8.3", "8:00", "++8", "8.", "1e1", "٨"] {
            let error = day(tz).expect_err(tz).to_string();
            assert!(error.starts_with("parameter tz "), "{tz:?}: {error}");
        }
        let server = Folders::parse("2018-3-29", "0-0-0", None).unwrap();
        assert_eq!(server.offset, local(DateTime::constant(2018, 3, 29, 0, 0, 0, 0)));
    }

    #[test]
    fn only_real_days_and_times() {
        for start1 in
            ["", "2018-2-29", "2018-13-1", "2018-3", "2018-3-29-1", "1969-1-1", "2018-3-x", "../1-1"]
        {
            let error = Folders::parse(start1, "0-0-0", None).expect_err(start1).to_string();
            assert!(error.starts_with("parameter start1 "), "{error}");
        }
        for start2 in ["", "24-0-0", "0-60-0", "0-0-60", "1-2", "1-2-3-4", "-1-2-3", "300-0-0"] {
            let error = Folders::parse("2018-3-29", start2, None).expect_err(start2).to_string();
            assert!(error.starts_with("parameter start2 "), "{error}");
        }
        assert!(Folders::parse("2020-2-29", "23-59-59", None).is_ok());
    }
}
