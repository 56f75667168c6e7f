//! What time a camera thinks it is. Tokens carry a time, and cameras take only those that are near to
//! their own, which is often wrong.

use std::time::SystemTime;

use hyper::header::{DATE, HeaderMap};
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::Offset;

use crate::base::wall::Wall;
use crate::onvif::xml::Element;

/// Seconds by which a camera's clock is ahead of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead(i64);

impl Ahead {
    /// From what a camera said just now: its answer to `GetSystemDateAndTime`, else the `Date` header.
    pub fn of(answer: Option<&Element>, headers: &HeaderMap) -> Option<Self> {
        let camera = answer.and_then(utc).or_else(|| date(headers))?;
        Some(Self(camera - own_seconds()))
    }

    /// What the camera's clock shows now.
    pub fn now(self) -> Wall {
        Wall((own_seconds() + self.0) * 1000)
    }

    /// Whether the camera may take a token of one for too early or too late by the other. The closest
    /// window that was seen in a camera is 5 s.
    pub fn differs(self, other: Self) -> bool {
        self.0.abs_diff(other.0) >= 5
    }

    /// Whether it looks as if the camera gave local time for UTC: it is off by a whole zone.
    pub fn is_a_zone(self) -> bool {
        const QUARTER: i64 = 15 * 60;
        let rest = self.0.rem_euclid(QUARTER);
        let whole = rest <= 30 || rest >= QUARTER - 30;
        whole && (QUARTER - 30..=14 * 3600 + 30).contains(&self.0.abs())
    }
}

fn own_seconds() -> i64 {
    Wall::from(SystemTime::now()).0.div_euclid(1000)
}

fn utc(answer: &Element) -> Option<i64> {
    let time = answer.find("UTCDateTime")?;
    let number = |path: &[&str]| time.text_at(path)?.parse::<i64>().ok();
    let year = i16::try_from(number(&["Date", "Year"])?).ok()?;
    let small = |path: &[&str]| i8::try_from(number(path)?).ok();
    let civil = DateTime::new(
        year,
        small(&["Date", "Month"])?,
        small(&["Date", "Day"])?,
        small(&["Time", "Hour"])?,
        small(&["Time", "Minute"])?,
        // A leap second is as good as the one before.
        small(&["Time", "Second"])?.min(59),
        0,
    );
    Some(Offset::UTC.to_timestamp(civil.ok()?).ok()?.as_second())
}

fn date(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(DATE)?.to_str().ok()?;
    Some(DateTimeParser::new().parse_timestamp(text).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::parse;

    fn answer(hour: u8) -> Element {
        let text = format!(
            "<r><SystemDateAndTime><UTCDateTime><Time><Hour>{hour}</Hour><Minute>2</Minute>\
             <Second>3</Second></Time><Date><Year>2026</Year><Month>1</Month><Day>2</Day></Date>\
             </UTCDateTime></SystemDateAndTime></r>"
        );
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_answer_counts_before_the_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(Ahead::of(None, &headers), None);
        headers.insert(DATE, "Fri, 02 Jan 2026 02:02:03 GMT".parse().unwrap());
        let (one, two) = (utc(&answer(1)).unwrap(), date(&headers).unwrap());
        assert_eq!((one, two - one), (1_767_315_723, 3600));
        let by_answer = Ahead::of(Some(&answer(1)), &headers).unwrap();
        let by_header = Ahead::of(Some(&answer(25)), &headers).unwrap();
        assert!((3595..=3605).contains(&(by_header.0 - by_answer.0)));
        assert!((by_answer.now().0 / 1000 - one).abs() <= 2);
    }

    #[test]
    fn whole_zones_are_told_from_wrong_clocks() {
        for zone in [3600, -3600, 8 * 3600 + 12, 20_700 - 20, -9000] {
            assert!(Ahead(zone).is_a_zone(), "{zone}");
        }
        for wrong in [0, 20, -29, 300, 1000, 15 * 3600, 86_400 * 365] {
            assert!(!Ahead(wrong).is_a_zone(), "{wrong}");
        }
        assert!(Ahead(0).differs(Ahead(-5)) && !Ahead(0).differs(Ahead(4)));
    }
}
