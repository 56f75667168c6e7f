use proptest::prelude::*;

use super::*;

/// 2018-03-07T12:01:01Z
const NOON: i64 = 1_520_424_061_000;
const HOUR: i64 = 3_600_000;

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn parse(text: &str) -> (i64, Option<i16>) {
    let (wall, offset) = Wall::parse(text, &berlin()).unwrap();
    (wall.0, offset.map(|offset| offset.0))
}

fn wrong(text: &str) -> String {
    Wall::parse(text, &berlin()).unwrap_err().to_string()
}

#[test]
fn every_form_that_clients_send() {
    let east = (NOON - 8 * HOUR, Some(480));
    let utc = (NOON, Some(0));
    for (text, expected) in [
        // The manual, and with the plus decoded away.
        ("2018-03-07T120101+08", east),
        ("2018-03-07T120101 08", east),
        ("2018-03-07T12:01:01+08", east),
        ("2018-03-07T12:01:01+08:00", east),
        ("2018-03-07T12:01:01 08:00", east),
        ("2018-03-07T12:01:01+0800", east),
        ("2018-03-07T12:01:01+8", east),
        ("2018-03-07 12:01:01 +08:00", east),
        ("2018-03-07t12:01:01.000+08:00", east),
        ("20180307T120101+0800", east),
        (" 2018-3-7T12:1:1+8 ", east),
        ("2018-03-07T12:01:01-03:30", (NOON + 210 * 60_000, Some(-210))),
        ("2018-03-07T12:01:01+0545", (NOON - 345 * 60_000, Some(345))),
        ("2018-03-07T12:01:01-930", (NOON + 570 * 60_000, Some(-570))),
        // Java's X, XX and XXX write Z for UTC.
        ("2018-03-07T12:01:01Z", utc),
        ("2018-03-07T12:01:01.000Z", utc),
        ("2018-03-07 12:01:01 Z", utc),
        // toISOString() with the page's zone behind it: the moment is in UTC already.
        ("2018-03-07T12:01:01.000Z+08", (NOON, Some(480))),
        ("2018-03-07T12:01:01.000Z 08", (NOON, Some(480))),
        ("2018-03-07T12:01:01.000Z08:00", (NOON, Some(480))),
        ("2018-03-07T12:01:01.000Z-05:00", (NOON, Some(-300))),
        // In the server's zone.
        ("2018-03-07T12:01:01", (NOON - HOUR, None)),
        ("2018-03-07 12:01:01", (NOON - HOUR, None)),
        ("2018/03/07 12:01:01", (NOON - HOUR, None)),
        ("2018-07-07 12:01", (NOON + 122 * 24 * HOUR - 2 * HOUR - 1000, None)),
        // Whole days.
        ("2018-03-07", (NOON - 13 * HOUR - 61_000, None)),
        ("2018-03-07T24:00:00Z", (NOON + 12 * HOUR - 61_000, Some(0))),
        // Fractions.
        ("2018-03-07T12:01:01.5Z", (NOON + 500, Some(0))),
        ("2018-03-07T120101,1234567891+00", (NOON + 123, Some(0))),
        // The ends.
        ("1970-01-01T00:00:00Z", (0, Some(0))),
        ("1970-01-01T00:00:00+08", (-8 * HOUR, Some(480))),
        ("2261-12-31T23:59:59.999Z", (9_214_646_399_999, Some(0))),
    ] {
        assert_eq!(parse(text), expected, "{text}");
    }
}

#[test]
fn clocks_that_are_set() {
    // 2:00 to 3:00 is skipped on the 26th of March 2023; 2:00 to 3:00 comes twice on the 29th of October.
    assert_eq!(parse("2023-03-26 02:30:00").0, parse("2023-03-26T03:30:00+02").0);
    assert_eq!(parse("2023-10-29 02:30:00").0, parse("2023-10-29T02:30:00+02").0);
    assert_eq!(parse("2023-10-29 03:00:00").0, parse("2023-10-29T03:00:00+01").0);
    assert_eq!(parse("2023-10-29 24:00:00").0, parse("2023-10-30T00:00:00+01").0);
}

#[test]
fn what_is_wrong_is_said() {
    for (text, what) in [
        ("", "the date is not year-month-day"),
        ("0", "the date is not year-month-day"),
        ("yesterday", "the date is not year-month-day"),
        ("18-03-07T120101+08", "the date is not year-month-day"),
        ("2018-03-07-01T120101", "the date is not year-month-day"),
        ("2018-03T120101", "the date is not year-month-day"),
        ("2018-+3-07T120101", "the date is not year-month-day"),
        ("2018-13-07T120101", "there is no day 7 in month 13 of 2018"),
        ("2018-02-29T120101", "there is no day 29 in month 2 of 2018"),
        ("2018-00-01T120101", "there is no day 1 in month 0 of 2018"),
        ("1969-12-31T235959Z", "the year is not from 1970 to 2261"),
        ("9999-12-31T235959Z", "the year is not from 1970 to 2261"),
        ("2018-03-07T", "the time is not hours, minutes and seconds"),
        ("2018-03-07T12", "the time is not hours, minutes and seconds"),
        ("2018-03-07T1:2:3:4", "the time is not hours, minutes and seconds"),
        ("2018-03-07T12010\u{e9}", "the time is not hours, minutes and seconds"),
        ("2018-03-07T250101", "there is no hour 25"),
        ("2018-03-07T240001", "there is no hour 24"),
        ("2018-03-07T126001", "there is no minute 60"),
        ("2018-03-07T120160", "there is no second 60"),
        ("2018-03-07T120101.x+08", "the fraction of a second is not digits"),
        ("2018-03-07T120101+", "the zone is not like +08 or +08:00"),
        ("2018-03-07T120101+08:00:00", "the zone is not like +08 or +08:00"),
        ("2018-03-07T120101ZZ", "the zone is not like +08 or +08:00"),
        ("2018-03-07T120101+08Z", "the zone is not like +08 or +08:00"),
        ("2018-03-07T120101+1401", "no zone is 14:01 away from UTC"),
        ("2018-03-07T120101+0860", "no zone is 8:60 away from UTC"),
    ] {
        assert_eq!(wrong(text), format!("{text} is not a time like 2018-03-07T120101+08: {what}"));
    }
    let long = wrong(&"9".repeat(5000));
    assert!(long.len() < 150, "{long}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(seconds in 86_400_i64..9_214_000_000, quarters in -48_i16..=56) {
        let (at, offset) = (Wall(seconds * 1000), Offset(quarters * 15));
        let text = at.iso(offset);
        prop_assert_eq!(Wall::parse(&text, &berlin()).unwrap(), (at, Some(offset)));
        let manual = text.replacen(':', "", 2);
        prop_assert_eq!(Wall::parse(&manual, &berlin()).unwrap(), (at, Some(offset)));
        let blank = text.replace('+', " ");
        prop_assert_eq!(Wall::parse(&blank, &berlin()).unwrap(), (at, Some(offset)));
    }

    #[test]
    fn nothing_makes_it_fall(text in "[0-9TZtz +:.,/é-]{0,40}", any in ".{0,60}") {
        for text in [text, any] {
            if let Ok((wall, _)) = Wall::parse(&text, &berlin()) {
                prop_assert!(wall.0 > -86_400_000 && wall.0 < 9_215_000_000_000);
            }
        }
    }
}
