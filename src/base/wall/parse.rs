//! Times as clients write them (docs/protocol.md 1): the manual's `2018-03-07T120101+08`, what
//! formatters of several languages make of ISO 8601, and what became of either on the way.

use jiff::Span;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Offset, Wall};
use crate::base::{Error, Result};

/// Years that are taken for meant; nanoseconds since 1970 in 64 bits end in 2262.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2261;
/// Widest distance from UTC that a place on earth has, in hours.
const WIDEST: i16 = 14;

/// What is wrong, as the end of a sentence.
type Wrong = String;

impl Wall {
    /// The moment that `text` (already percent-decoded) means, and the zone that it names, if it does.
    ///
    /// - Date: `2018-03-07`, `2018-3-7`, `2018/03/07`, `20180307`; alone it means its first moment.
    /// - Behind `T` or a blank, the time: `12:01:01`, `120101`, `12:01`, `1201`, with a fraction behind
    ///   `.` or `,`; `24:00` is the end of the day.
    /// - The zone: `Z`, `+08`, `+8`, `+0800`, `+08:00`. A blank in place of `+` is a `+` that was
    ///   decoded once too often.
    /// - `Z+08` and `Z08:00` come from pages that glue their zone to `toISOString()`, which has brought
    ///   the time to UTC already: the moment is the one in UTC, the zone is where the page is.
    ///
    /// Without a zone the time is `zone`'s. A time that a clock set forward skips there means as much
    /// later; of one that comes twice the first is meant.
    ///
    /// # Errors
    /// `BadInput` with the text and what is wrong with it.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<(Self, Option<Offset>)> {
        let text = text.trim();
        read(text, zone).map_err(|wrong| {
            Error::bad_input(format!("{text:.40} is not a time like 2018-03-07T120101+08: {wrong}"))
        })
    }
}

fn read(text: &str, zone: &TimeZone) -> std::result::Result<(Wall, Option<Offset>), Wrong> {
    let (date, rest) = text.split_once(['T', 't', ' ']).unwrap_or((text, "000000"));
    let (clock, place) = rest.split_at(rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len()));
    let civil = civil(date, clock)?;
    let (millis, shown) = match place_of(place)? {
        None => {
            let zoned = civil.to_zoned(zone.clone()).map_err(|_| "it lies outside the calendar")?;
            (zoned.timestamp().as_millisecond(), None)
        }
        Some((meant, shown)) => {
            let utc =
                jiff::tz::Offset::UTC.to_timestamp(civil).map_err(|_| "it lies outside the calendar")?;
            (utc.as_millisecond() - i64::from(meant.0) * 60_000, Some(shown))
        }
    };
    Ok((Wall(millis), shown))
}

fn civil(date: &str, clock: &str) -> std::result::Result<DateTime, Wrong> {
    let (year, month, day) = date_of(date)?;
    let (hour, minute, second, nanos) = clock_of(clock)?;
    let end_of_day = (hour, minute, second, nanos) == (24, 0, 0, 0);
    let hour = if end_of_day { 0 } else { hour };
    for (name, value, most) in [("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)] {
        if value > most {
            return Err(format!("there is no {name} {value}"));
        }
    }
    if !YEARS.contains(&year) {
        return Err(format!("the year is not from {} to {}", YEARS.start(), YEARS.end()));
    }
    let small = |value: i16| i8::try_from(value).unwrap_or(i8::MAX);
    DateTime::new(year, small(month), small(day), small(hour), small(minute), small(second), nanos)
        .and_then(|civil| civil.checked_add(Span::new().days(i32::from(end_of_day))))
        .map_err(|_| format!("there is no day {day} in month {month} of {year}"))
}

fn date_of(text: &str) -> std::result::Result<(i16, i16, i16), Wrong> {
    let wrong = || "the date is not year-month-day".to_owned();
    let parts: Vec<&str> = match (text.len(), text.is_ascii()) {
        (8, true) if !text.contains(['-', '/']) => vec![&text[..4], &text[4..6], &text[6..]],
        _ => text.split(['-', '/']).collect(),
    };
    match parts[..] {
        [year, month, day] if year.len() == 4 => Ok((
            number(year, 4).ok_or_else(wrong)?,
            number(month, 2).ok_or_else(wrong)?,
            number(day, 2).ok_or_else(wrong)?,
        )),
        _ => Err(wrong()),
    }
}

/// Hour, minute, second, nanoseconds.
fn clock_of(text: &str) -> std::result::Result<(i16, i16, i16, i32), Wrong> {
    let wrong = || "the time is not hours, minutes and seconds".to_owned();
    let (text, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let parts: Vec<&str> = match (text.len(), text.is_ascii()) {
        (4, true) if !text.contains(':') => vec![&text[..2], &text[2..]],
        (6, true) if !text.contains(':') => vec![&text[..2], &text[2..4], &text[4..]],
        _ => text.split(':').collect(),
    };
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return Err(wrong()),
    };
    Ok((
        number(hour, 2).ok_or_else(wrong)?,
        number(minute, 2).ok_or_else(wrong)?,
        number(second, 2).ok_or_else(wrong)?,
        nanos(fraction).ok_or("the fraction of a second is not digits")?,
    ))
}

/// A fraction's digits as nanoseconds; what is finer is cut off.
fn nanos(digits: &str) -> Option<i32> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let padded: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
    padded.parse().ok().filter(|_| plain)
}

/// The zone that the time is in and the one that the client is in; `None` when it does not say.
fn place_of(text: &str) -> std::result::Result<Option<(Offset, Offset)>, Wrong> {
    let place = text.trim_start();
    match (place, place.strip_prefix(['Z', 'z'])) {
        ("", _) => Ok(None),
        (_, Some("")) => Ok(Some((Offset(0), Offset(0)))),
        (_, Some(glued)) => Ok(Some((Offset(0), offset(glued.trim_start())?))),
        (_, None) => offset(place).map(|offset| Some((offset, offset))),
    }
}

fn offset(text: &str) -> std::result::Result<Offset, Wrong> {
    let wrong = || "the zone is not like +08 or +08:00".to_owned();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len(), rest.is_ascii()) {
        (Some(parts), ..) => parts,
        (None, 3..=4, true) => rest.split_at(rest.len() - 2),
        (None, ..) => (rest, "0"),
    };
    let hours = number(hours, 2).ok_or_else(wrong)?;
    let minutes = number(minutes, 2).ok_or_else(wrong)?;
    if minutes > 59 || hours * 60 + minutes > WIDEST * 60 {
        return Err(format!("no zone is {hours}:{minutes:02} away from UTC"));
    }
    Ok(Offset(sign * (hours * 60 + minutes)))
}

/// One to `most` digits.
fn number(text: &str, most: usize) -> Option<i16> {
    let plain = text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests;
