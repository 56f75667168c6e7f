//! Tokens: what is made of a source's token, and found by it again. They are the same in all services
//! and for ever, as recorders keep them.
//!
//! A source's token has up to 64 of `A-Z a-z 0-9 . _ -`; ours may have no dot, and up to 64 with what
//! stands before and behind it.

use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::site::Channel;
use crate::base::bytes::hex;

/// What is left of 64 beside the longest `vec_…_main`.
const LONGEST: usize = 55;
/// Hex digits of the hash that stands for what does not fit.
const HASH: usize = 16;

/// Which of a source's two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    Main,
    Sub,
}

impl Quality {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

/// The part of all tokens that stands for the source: its own token where that is fit, else as much of
/// it as there is room for, and a hash.
pub fn stem(source: &str) -> String {
    if source.len() <= LONGEST && !source.contains('.') {
        return source.to_owned();
    }
    let start: String = source.replace('.', "-").chars().take(LONGEST - HASH - 1).collect();
    format!("{start}-{}", &hex(&Sha256::digest(source))[..HASH])
}

pub fn video_source(channel: &Channel) -> String {
    format!("vs_{}", stem(&channel.source))
}

pub fn video_source_configuration(channel: &Channel) -> String {
    format!("vsc_{}", stem(&channel.source))
}

pub fn encoder_configuration(channel: &Channel, quality: Quality) -> String {
    format!("vec_{}_{}", stem(&channel.source), quality.as_str())
}

pub fn profile_token(channel: &Channel, quality: Quality) -> String {
    format!("p_{}_{}", stem(&channel.source), quality.as_str())
}

/// Of the PTZ configuration.
pub fn ptz(channel: &Channel) -> String {
    format!("ptz_{}", stem(&channel.source))
}

pub fn ptz_node(channel: &Channel) -> String {
    format!("ptzn_{}", stem(&channel.source))
}

/// The channel's streams, the main one first.
pub fn qualities(channel: &Channel) -> impl Iterator<Item = Quality> {
    [Some(Quality::Main), channel.sub.map(|_| Quality::Sub)].into_iter().flatten()
}

/// The channel that `token` is `name` of.
pub fn channel<'a>(
    channels: &'a [Channel],
    token: &str,
    name: impl Fn(&Channel) -> String,
) -> Option<&'a Channel> {
    channels.iter().find(|channel| name(channel) == token)
}

/// The stream whose profile is `token`.
///
/// # Errors
/// `ter:NoProfile`
pub fn profile<'a>(channels: &'a [Channel], token: &str) -> Result<(&'a Channel, Quality), Fault> {
    stream(channels, token, profile_token).ok_or_else(|| {
        Fault::named(&["ter:InvalidArgVal", "ter:NoProfile"], format!("there is no profile {token:.64}"))
    })
}

/// The stream that `token` is `name` of.
pub fn stream<'a>(
    channels: &'a [Channel],
    token: &str,
    name: impl Fn(&Channel, Quality) -> String,
) -> Option<(&'a Channel, Quality)> {
    channels
        .iter()
        .flat_map(|channel| qualities(channel).map(move |quality| (channel, quality)))
        .find(|(channel, quality)| name(channel, *quality) == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_plain_short_and_unique() {
        let long = "a".repeat(64);
        let sources = ["cam1", "cam-1", "cam.1", "cam_1", &long, &long[..63], &long[..55], "a.b.c"];
        let stems: Vec<_> = sources.iter().map(|source| stem(source)).collect();
        for (source, stem) in sources.iter().zip(&stems) {
            assert!(stem.len() <= LONGEST, "{source}: {stem}");
            assert!(stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{stem}");
            assert_eq!(stems.iter().filter(|other| *other == stem).count(), 1, "{source}");
        }
        assert_eq!(stem("cam_1"), "cam_1");
        assert_eq!(stem("cam.1"), stem("cam.1"));
    }
}
