//! Writes playlists (RFC 8216 for v1, RFC 8216bis for v2).

use std::fmt::{Arguments, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::names::{File, Version};
use super::window::{Epoch, Segment, Window};
use crate::base::time::MediaTime;

/// The playlist of a window that has at least one complete segment.
pub(super) fn write(window: &Window, version: Version) -> String {
    let mut out = Playlist(String::with_capacity(2048));
    let first = window.listed().next();
    out.line(format_args!("#EXTM3U"));
    match version {
        Version::V1 => out.line(format_args!("#EXT-X-VERSION:3\n#EXT-X-ALLOW-CACHE:NO")),
        Version::V2 => out.line(format_args!("#EXT-X-VERSION:9")),
    }
    out.line(format_args!("#EXT-X-TARGETDURATION:{}", window.target_secs()));
    if version == Version::V2 {
        out.low_latency_head(window);
    }
    out.line(format_args!("#EXT-X-MEDIA-SEQUENCE:{}", first.map_or(window.next_msn(), |s| s.msn)));
    if let Some(number) = first.map(|s| s.epoch.number).filter(|&number| number > 0) {
        out.line(format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{number}"));
    }
    match version {
        Version::V1 => out.segments_v1(window),
        Version::V2 => out.segments_v2(window),
    }
    out.0
}

struct Playlist(String);

impl Playlist {
    fn line(&mut self, line: Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn low_latency_head(&mut self, window: &Window) {
        let part = window.part_target().as_secs_f64();
        let hold = window.target_secs() * 3;
        self.line(format_args!(
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={:.3},HOLD-BACK={hold}",
            part * 3.0
        ));
        self.line(format_args!("#EXT-X-PART-INF:PART-TARGET={part:.3}"));
    }

    fn segments_v1(&mut self, window: &Window) {
        let mut before: Option<&Arc<Epoch>> = None;
        for segment in window.listed() {
            if before.is_some_and(|epoch| !Arc::ptr_eq(epoch, &segment.epoch)) {
                self.line(format_args!("#EXT-X-DISCONTINUITY"));
            }
            self.segment(segment, Version::V1);
            before = Some(&segment.epoch);
        }
    }

    fn segments_v2(&mut self, window: &Window) {
        let mut before: Option<&Arc<Epoch>> = None;
        let detailed = first_detailed(window);
        for segment in window.listed() {
            self.change_epoch(&mut before, &segment.epoch);
            self.date(segment.date);
            if segment.msn >= detailed {
                self.parts(segment);
            }
            self.segment(segment, Version::V2);
        }
        if let Some(open) = window.open() {
            self.change_epoch(&mut before, &open.epoch);
            self.date(open.date);
            self.parts(open);
        }
        if let (Some(epoch), Some((msn, part))) = (window.epoch(), window.next_part()) {
            self.change_epoch(&mut before, epoch);
            let name = File::Part(msn, part).name(Version::V2);
            self.line(format_args!("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{name}\""));
        }
    }

    fn change_epoch<'a>(&mut self, before: &mut Option<&'a Arc<Epoch>>, epoch: &'a Arc<Epoch>) {
        if before.is_some_and(|before| Arc::ptr_eq(before, epoch)) {
            return;
        }
        if before.is_some() {
            self.line(format_args!("#EXT-X-DISCONTINUITY"));
        }
        let name = File::Init(epoch.first_msn).name(Version::V2);
        self.line(format_args!("#EXT-X-MAP:URI=\"{name}\""));
        *before = Some(epoch);
    }

    fn segment(&mut self, segment: &Segment, version: Version) {
        self.line(format_args!("#EXTINF:{:.6},", segment.duration.as_secs_f64()));
        self.line(format_args!("{}", File::Segment(segment.msn).name(version)));
    }

    fn parts(&mut self, segment: &Segment) {
        for (index, part) in segment.parts.iter().enumerate() {
            let name = File::Part(segment.msn, index).name(Version::V2);
            let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
            let duration = part.duration.as_secs_f64();
            self.line(format_args!("#EXT-X-PART:DURATION={duration:.5},URI=\"{name}\"{independent}"));
        }
    }

    fn date(&mut self, date: SystemTime) {
        let text = iso8601(date.duration_since(UNIX_EPOCH).unwrap_or_default());
        self.line(format_args!("#EXT-X-PROGRAM-DATE-TIME:{text}"));
    }
}

/// The first segment whose parts are listed: parts farther than three target durations from the
/// end are of no use to a player (RFC 8216bis 4.4.4.9).
fn first_detailed(window: &Window) -> u64 {
    let horizon = MediaTime::from(window.target() * 3);
    let mut age = window.open().map_or(MediaTime::ZERO, |open| open.duration);
    let mut first = window.next_msn();
    for segment in window.listed().rev() {
        if age >= horizon {
            break;
        }
        age += segment.duration;
        first = segment.msn;
    }
    first
}

/// ISO 8601 in UTC with milliseconds.
fn iso8601(since_epoch: Duration) -> String {
    let secs = since_epoch.as_secs();
    let (year, month, day) = civil(secs / 86_400);
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    let millis = since_epoch.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from 1 March of the year 0, leap days fall on the end of a year, a century and an era.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00.250Z"),
            (951_782_399, "2000-02-28T23:59:59.250Z"),
            (951_782_400, "2000-02-29T00:00:00.250Z"),
            (1_709_251_199, "2024-02-29T23:59:59.250Z"),
            (1_795_298_400, "2026-11-21T22:00:00.250Z"),
            (4_107_542_400, "2100-03-01T00:00:00.250Z"),
        ] {
            assert_eq!(iso8601(Duration::from_secs(secs) + Duration::from_millis(250)), text);
        }
    }
}
