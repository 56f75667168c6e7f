//! What a client may ask for: file names and query parameters, parsed strictly.

use crate::base::{Error, Result};

/// Which kind of HLS: the `v1` or `v2` of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// MPEG-TS segments, playlist version 3 (any player).
    V1,
    /// Fragmented MP4 with parts (low-latency HLS).
    V2,
}

impl Version {
    /// From the path element.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "v1" => Some(Self::V1),
            "v2" => Some(Self::V2),
            _ => None,
        }
    }
}

/// A file of one stream. Numbers are media sequence numbers and part indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    /// `hls.m3u8`
    Playlist,
    /// v1 `hlsN.ts`, v2 `segN.m4s`
    Segment(u64),
    /// v2 `segN.P.m4s`
    Part(u64, usize),
    /// v2 `init-N.mp4`, named after the first segment that needs it, so that no name is ever used
    /// for two contents.
    Init(u64),
}

impl File {
    /// Parses `name`; a name that [`File::name`] would not write is none.
    pub fn parse(version: Version, name: &str) -> Option<Self> {
        let file = Self::guess(version, name)?;
        (file.name(version) == name).then_some(file)
    }

    fn guess(version: Version, name: &str) -> Option<Self> {
        if name == "hls.m3u8" {
            return Some(Self::Playlist);
        }
        if version == Version::V1 {
            return name.strip_prefix("hls")?.strip_suffix(".ts")?.parse().ok().map(Self::Segment);
        }
        if let Some(rest) = name.strip_prefix("init-") {
            return rest.strip_suffix(".mp4")?.parse().ok().map(Self::Init);
        }
        let numbers = name.strip_prefix("seg")?.strip_suffix(".m4s")?;
        match numbers.split_once('.') {
            Some((msn, part)) => Some(Self::Part(msn.parse().ok()?, part.parse().ok()?)),
            None => numbers.parse().ok().map(Self::Segment),
        }
    }

    /// The name under which the playlist lists this file.
    pub fn name(self, version: Version) -> String {
        match (self, version) {
            (Self::Playlist, _) => "hls.m3u8".to_owned(),
            (Self::Segment(msn), Version::V1) => format!("hls{msn}.ts"),
            (Self::Segment(msn), Version::V2) => format!("seg{msn}.m4s"),
            (Self::Part(msn, part), _) => format!("seg{msn}.{part}.m4s"),
            (Self::Init(msn), _) => format!("init-{msn}.mp4"),
        }
    }
}

/// The delivery directives of a playlist request (RFC 8216bis 6.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HlsQuery {
    /// `_HLS_msn`: answer when this media segment is listed.
    pub msn: Option<u64>,
    /// `_HLS_part`: answer when this part of it is listed.
    pub part: Option<usize>,
}

impl HlsQuery {
    /// Reads the directives out of a raw query string; other parameters are not ours to judge.
    ///
    /// # Errors
    /// `BadInput` for a value that is not a number, and for a part without a segment.
    pub fn parse(query: &str) -> Result<Self> {
        let mut found = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "_HLS_msn" => found.msn = Some(number(name, value)?),
                "_HLS_part" => found.part = Some(number(name, value)?),
                _ => {}
            }
        }
        if found.part.is_some() && found.msn.is_none() {
            return Err(Error::bad_input("_HLS_part: needs _HLS_msn beside it"));
        }
        Ok(found)
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { value.parse().ok() } else { None };
    parsed.ok_or_else(|| Error::bad_input(format!("{name}: not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (version, name, file) in [
            (Version::V1, "hls.m3u8", File::Playlist),
            (Version::V1, "hls17.ts", File::Segment(17)),
            (Version::V2, "hls.m3u8", File::Playlist),
            (Version::V2, "seg17.m4s", File::Segment(17)),
            (Version::V2, "seg17.3.m4s", File::Part(17, 3)),
            (Version::V2, "init-4.mp4", File::Init(4)),
        ] {
            assert_eq!(File::parse(version, name), Some(file), "{name}");
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "hls", "hls1.m4s", "hls01.ts", "hls+1.ts", "hls.ts", "../hls1.ts", "seg1.m4s"] {
            assert_eq!(File::parse(Version::V1, name), None, "{name}");
        }
        for name in ["hls1.ts", "seg1.02.m4s", "seg1.2.3.m4s", "seg.m4s", "seg-1.m4s", "init.mp4", "SEG1.m4s"]
        {
            assert_eq!(File::parse(Version::V2, name), None, "{name}");
        }
    }

    #[test]
    fn directives_are_numbers() {
        let both = HlsQuery { msn: Some(7), part: Some(2) };
        assert_eq!(HlsQuery::parse("a=b&_HLS_msn=7&_HLS_part=2&c").unwrap(), both);
        assert_eq!(HlsQuery::parse("").unwrap(), HlsQuery::default());
        for bad in [
            "_HLS_msn=",
            "_HLS_msn=-1",
            "_HLS_msn=+1",
            "_HLS_msn=x",
            "_HLS_part=0",
            "_HLS_msn=99999999999999999999",
        ] {
            assert!(HlsQuery::parse(bad).is_err(), "{bad}");
        }
    }
}
