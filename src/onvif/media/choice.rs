//! Which profiles are shown when nobody says so.

use super::{Choice, Profile};

/// Main and sub of `profiles`: those that are given; else for main the largest that carries H.264 or H.265,
/// and for sub the smallest other one of the same lens.
///
/// `None` where there is nothing that can be shown. A profile whose codec the camera does not tell is
/// taken where no other can be: Media1 hides H.265 so.
pub fn choose(profiles: &[Profile], main: Option<&str>, sub: Option<&str>) -> Option<Choice> {
    let mut candidates: Vec<&Profile> = profiles.iter().filter(|p| is_shown(p)).collect();
    if candidates.is_empty() {
        candidates = profiles.iter().filter(|p| p.codec.is_empty()).collect();
    }
    let main = match main {
        Some(given) => meant(profiles, given),
        // Of equal ones the camera's first, which it calls its main stream.
        None => candidates.iter().rev().max_by_key(|p| area(p))?.token.clone(),
    };
    let sub = sub.map(|given| meant(profiles, given)).or_else(|| {
        let lens = profiles.iter().find(|p| p.token == main)?.video_source.as_ref();
        let others = candidates.iter().filter(|p| p.token != main && p.video_source.as_ref() == lens);
        others.min_by_key(|p| (area(p), p.kbps)).map(|p| p.token.clone())
    });
    Some(Choice { main, sub })
}

/// The token that is meant: blanks around it count for the camera, and are lost in a query.
fn meant(profiles: &[Profile], given: &str) -> String {
    let exact = profiles.iter().find(|profile| profile.token == given);
    let found = exact.or_else(|| profiles.iter().find(|profile| profile.token.trim() == given));
    found.map_or_else(|| given.to_owned(), |profile| profile.token.clone())
}

fn is_shown(profile: &Profile) -> bool {
    matches!(profile.codec.as_str(), "H264" | "H265")
}

fn area(profile: &Profile) -> u64 {
    u64::from(profile.width) * u64::from(profile.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(token: &str, codec: &str, width: u32, height: u32, lens: &str) -> Profile {
        let video_source = Some(lens.to_owned()).filter(|lens| !lens.is_empty());
        Profile {
            token: token.into(),
            codec: codec.into(),
            width,
            height,
            video_source,
            ..Profile::default()
        }
    }

    fn chosen(profiles: &[Profile], main: Option<&str>, sub: Option<&str>) -> Option<(String, String)> {
        choose(profiles, main, sub).map(|choice| (choice.main, choice.sub.unwrap_or_default()))
    }

    fn pair(main: &str, sub: &str) -> Option<(String, String)> {
        Some((main.into(), sub.into()))
    }

    #[test]
    fn the_largest_and_the_smallest_of_its_lens() {
        let camera = [
            profile("jpeg", "JPEG", 3840, 2160, "v1"),
            profile("third", "H264", 640, 480, "v1"),
            profile("main", "H265", 2560, 1440, "v1"),
            profile("metadata", "", 0, 0, "v1"),
            profile("sub", "H264", 352, 288, "v1"),
            profile("thermal", "H264", 160, 120, "v2"),
        ];
        assert_eq!(chosen(&camera, None, None), pair("main", "sub"));
        assert_eq!(chosen(&camera, Some("thermal"), None), pair("thermal", ""));
        assert_eq!(chosen(&camera, Some("sub"), None), pair("sub", "third"));
        assert_eq!(chosen(&camera, None, Some("third")), pair("main", "third"));
        assert_eq!(chosen(&camera, Some("not listed"), None), pair("not listed", ""));
    }

    #[test]
    fn blanks_around_a_token_are_the_cameras_business() {
        let camera = [profile(" a ", "H264", 640, 480, ""), profile("a", "H264", 320, 240, "")];
        assert_eq!(chosen(&camera[..1], Some("a"), None), pair(" a ", ""));
        assert_eq!(chosen(&camera, Some("a"), None), pair("a", " a "));
    }

    #[test]
    fn equals_are_taken_in_the_cameras_order() {
        let twins = [profile("000", "H264", 1280, 720, ""), profile("00", "H264", 1280, 720, "")];
        assert_eq!(chosen(&twins, None, None), pair("000", "00"));
        assert_eq!(chosen(&twins[..1], None, None), pair("000", ""));
    }

    #[test]
    fn a_codec_that_is_not_told_is_better_than_none() {
        let media1 = [profile("jpeg", "JPEG", 640, 480, "v1"), profile("hidden", "", 0, 0, "v1")];
        assert_eq!(chosen(&media1, None, None), pair("hidden", ""));
        assert_eq!(chosen(&media1[..1], None, None), None);
        assert_eq!(chosen(&[], None, None), None);
    }
}
