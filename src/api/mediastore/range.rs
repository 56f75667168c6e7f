//! Which part of a file a request gets (RFC 9110, 13 and 14): pure functions over header values.

use std::ops::Range;

use warp::http::header::{AsHeaderName, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};

/// What tells one state of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// With its quotes, and `W/` in front while the file is written.
    pub tag: String,
    /// An HTTP date.
    pub modified: String,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// 304: the client has it.
    Nothing,
    /// 200
    Whole,
    /// 206, never empty.
    Some(Range<u64>),
    /// 416: it lies behind the end.
    Beyond,
}

/// What a GET with these headers gets of a file of `bytes`.
pub fn part(headers: &HeaderMap, validators: &Validators, bytes: u64) -> Part {
    if known(headers, validators) {
        return Part::Nothing;
    }
    match text(headers, RANGE) {
        Some(range) if same(headers, validators) => single(range, bytes),
        _ => Part::Whole,
    }
}

/// Whether the client's copy is this state of the file. For that, weak tags are as good as strong ones.
pub fn known(headers: &HeaderMap, validators: &Validators) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    match (text(headers, IF_NONE_MATCH), text(headers, IF_MODIFIED_SINCE)) {
        (Some(tags), _) => {
            tags.trim() == "*" || tags.split(',').any(|tag| opaque(tag) == opaque(&validators.tag))
        }
        // Clients send back what they were given; anything else is taken for another state.
        (None, Some(since)) => since == validators.modified,
        (None, None) => false,
    }
}

/// Whether parts of the file fit to what the client has: a file that is still written will get another
/// beginning when it is completed, so they never do.
fn same(headers: &HeaderMap, validators: &Validators) -> bool {
    let strong = !validators.tag.starts_with("W/");
    text(headers, IF_RANGE).is_none_or(|had| strong && (had == validators.tag || had == validators.modified))
}

/// Several ranges at once, and what is no range in bytes, get the whole file, which is always allowed.
fn single(range: &str, bytes: u64) -> Part {
    let Some((unit, range)) = range.split_once('=') else { return Part::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Part::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return Part::Whole,
        (Some(first), Some(last)) => first..bytes.min(last.saturating_add(1)),
        (Some(first), None) if last.is_empty() => first..bytes,
        (None, Some(last)) if first.is_empty() => bytes.saturating_sub(last)..bytes,
        _ => return Part::Whole,
    };
    if range.is_empty() { Part::Beyond } else { Part::Some(range) }
}

/// Digits; more than fit mean the most there can be.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use warp::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn strong() -> Validators {
        Validators { tag: "\"7-100\"".into(), modified: "Thu, 29 Mar 2018 12:03:29 GMT".into() }
    }

    fn weak() -> Validators {
        Validators { tag: "W/\"7-100\"".into(), ..strong() }
    }

    #[test]
    fn ranges_of_a_hundred_bytes() {
        for (range, expected) in [
            ("bytes=0-0", Part::Some(0..1)),
            ("bytes=0-99", Part::Some(0..100)),
            ("bytes=10-", Part::Some(10..100)),
            ("bytes=90-1000", Part::Some(90..100)),
            ("bytes=90-99999999999999999999999", Part::Some(90..100)),
            ("bytes=-1", Part::Some(99..100)),
            ("bytes=-1000", Part::Some(0..100)),
            ("Bytes= 5-6", Part::Some(5..7)),
            ("bytes=100-", Part::Beyond),
            ("bytes=100-200", Part::Beyond),
            ("bytes=99999999999999999999999-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=--1", Part::Whole),
            ("items=0-1", Part::Whole),
            ("0-1", Part::Whole),
        ] {
            assert_eq!(part(&headers(&[(RANGE, range)]), &strong(), 100), expected, "{range}");
        }
        assert_eq!(part(&headers(&[(RANGE, "bytes=0-")]), &strong(), 0), Part::Beyond);
        assert_eq!(part(&headers(&[]), &strong(), 100), Part::Whole);
    }

    #[test]
    fn a_part_must_fit_to_what_the_client_has() {
        let with = |validators: Validators, had: &str| {
            part(&headers(&[(RANGE, "bytes=1-2"), (IF_RANGE, had)]), &validators, 100)
        };
        assert_eq!(with(strong(), "\"7-100\""), Part::Some(1..3));
        assert_eq!(with(strong(), "Thu, 29 Mar 2018 12:03:29 GMT"), Part::Some(1..3));
        for had in ["\"7-99\"", "W/\"7-100\"", "Thu, 29 Mar 2018 12:03:30 GMT"] {
            assert_eq!(with(strong(), had), Part::Whole, "{had}");
        }
        assert_eq!(with(weak(), "W/\"7-100\""), Part::Whole);
        assert_eq!(part(&headers(&[(RANGE, "bytes=1-2")]), &weak(), 100), Part::Some(1..3));
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        for tags in ["\"7-100\"", "W/\"7-100\"", "\"1\", \"7-100\"", "*"] {
            for validators in [strong(), weak()] {
                let asked = headers(&[(IF_NONE_MATCH, tags), (RANGE, "bytes=1-2")]);
                assert_eq!(part(&asked, &validators, 100), Part::Nothing, "{tags}");
            }
        }
        let since = |date: &str| part(&headers(&[(IF_MODIFIED_SINCE, date)]), &strong(), 100);
        assert_eq!(since("Thu, 29 Mar 2018 12:03:29 GMT"), Part::Nothing);
        assert_eq!(since("Thu, 29 Mar 2018 12:03:28 GMT"), Part::Whole);
        // The tag decides where there is one.
        let both = [(IF_NONE_MATCH, "\"8\""), (IF_MODIFIED_SINCE, "Thu, 29 Mar 2018 12:03:29 GMT")];
        assert_eq!(part(&headers(&both), &strong(), 100), Part::Whole);
    }
}
