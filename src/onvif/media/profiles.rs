//! Answers to GetProfiles, of Media1 and Media2 alike. Whatever is missing or odd is left empty; only
//! a profile without a token is of no use.

use super::Profile;
use crate::onvif::xml::Element;

/// Cameras without a limit say so with the largest number they have; no picture needs a gigabit.
const UNLIMITED: u32 = 1_000_000;

/// The profiles of an answer, in its order.
pub fn read(answer: &Element) -> Vec<Profile> {
    answer.all("Profiles").filter_map(profile).collect()
}

fn profile(element: &Element) -> Option<Profile> {
    let name = element.text_at(&["Name"]).unwrap_or_default();
    // There is firmware that puts only a name on its Media2 profiles, and takes that for the token.
    let token = element.attribute("token").unwrap_or(name);
    if token.is_empty() {
        return None;
    }
    // Media2 gathers the configurations, Media1 has them side by side.
    let configurations = element.child("Configurations").unwrap_or(element);
    let part =
        |media2: &str, media1: &str| configurations.child(media2).or_else(|| configurations.child(media1));
    let encoder = part("VideoEncoder", "VideoEncoderConfiguration");
    let whole = |path: &[&str]| encoder.and_then(|encoder| encoder.text_at(path)).map_or(0, number);
    let source = part("VideoSource", "VideoSourceConfiguration");
    Some(Profile {
        token: token.to_owned(),
        name: name.to_owned(),
        codec: encoder.map(codec).unwrap_or_default(),
        width: whole(&["Resolution", "Width"]),
        height: whole(&["Resolution", "Height"]),
        fps: whole(&["RateControl", "FrameRateLimit"]),
        kbps: Some(whole(&["RateControl", "BitrateLimit"])).filter(|&rate| rate < UNLIMITED).unwrap_or(0),
        video_source: source
            .and_then(|source| source.text_at(&["SourceToken"]).or_else(|| source.attribute("token")))
            .map(str::to_owned),
        ptz: part("PTZ", "PTZConfiguration").and_then(|ptz| ptz.attribute("token")).map(str::to_owned),
    })
}

/// A whole number; Media2 writes frame rates as `25.000000`. What is none counts as not told.
fn number(text: &str) -> u32 {
    // Saturates, and a NaN is 0.
    text.parse::<f64>().map_or(0, |value| value.round() as u32)
}

/// The codec's one name in upper case.
fn codec(encoder: &Element) -> String {
    let told = encoder.text_at(&["Encoding"]).unwrap_or_else(|| {
        // Media1 has the settings of the codec under its name.
        ["H265", "H264", "MPEG4"].into_iter().find(|name| encoder.child(name).is_some()).unwrap_or_default()
    });
    let plain: String = told.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_uppercase().as_str() {
        "HEVC" => "H265".into(),
        "AVC" => "H264".into(),
        "MJPEG" => "JPEG".into(),
        known => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::parse;

    fn profiles(document: &str) -> Vec<Profile> {
        read(&parse(document.as_bytes()).unwrap())
    }

    /// As a Profile T camera answers `Type All`.
    #[test]
    fn media2() {
        let found = profiles(
            r#"<tr2:GetProfilesResponse xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">
            <tr2:Profiles token="Profile_1" fixed="true"><tr2:Name>mainStream</tr2:Name><tr2:Configurations>
              <tr2:VideoSource token="VideoSourceToken"><tt:Name>VideoSourceConfig</tt:Name><tt:UseCount>2</tt:UseCount>
                <tt:SourceToken>VideoSource_1</tt:SourceToken><tt:Bounds x="0" y="0" width="3840" height="2160"/></tr2:VideoSource>
              <tr2:AudioEncoder token="a"><tt:Encoding>MP4A-LATM</tt:Encoding></tr2:AudioEncoder>
              <tr2:VideoEncoder token="VideoEncoderToken_1" GovLength="50" Profile="Main"><tt:Name>e</tt:Name>
                <tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>2560</tt:Width><tt:Height>1440</tt:Height></tt:Resolution>
                <tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>25.000000</tt:FrameRateLimit><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>
                <tt:Quality>3.000000</tt:Quality></tr2:VideoEncoder>
              <tr2:PTZ token="PTZToken"><tt:NodeToken>PTZNODETOKEN</tt:NodeToken></tr2:PTZ>
            </tr2:Configurations></tr2:Profiles></tr2:GetProfilesResponse>"#,
        );
        let expected = Profile {
            token: "Profile_1".into(),
            name: "mainStream".into(),
            codec: "H265".into(),
            width: 2560,
            height: 1440,
            fps: 25,
            kbps: 4096,
            video_source: Some("VideoSource_1".into()),
            ptz: Some("PTZToken".into()),
        };
        assert_eq!(found, [expected]);
    }

    /// As a Profile S camera answers; its second profile has the sound only, the third metadata.
    #[test]
    fn media1_with_profiles_that_have_no_picture() {
        let found = profiles(
            r#"<trt:GetProfilesResponse xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">
            <trt:Profiles token="quality h264" fixed="false"><tt:Name>q</tt:Name>
              <tt:VideoSourceConfiguration token="0"><tt:SourceToken>0</tt:SourceToken></tt:VideoSourceConfiguration>
              <tt:VideoEncoderConfiguration token="e0"><tt:Encoding>H264</tt:Encoding>
                <tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution><tt:Quality>70</tt:Quality>
                <tt:RateControl><tt:FrameRateLimit>30</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2147483647</tt:BitrateLimit></tt:RateControl>
                <tt:H264><tt:GovLength>32</tt:GovLength></tt:H264></tt:VideoEncoderConfiguration></trt:Profiles>
            <trt:Profiles token="00000"><tt:Name>sound</tt:Name></trt:Profiles>
            <trt:Profiles token="meta"><tt:Name>m</tt:Name><tt:MetadataConfiguration token="m"/></trt:Profiles>
            </trt:GetProfilesResponse>"#,
        );
        let shown: Vec<_> =
            found.iter().map(|p| (p.token.as_str(), p.codec.as_str(), p.width, p.fps)).collect();
        assert_eq!(shown, [("quality h264", "H264", 1920, 30), ("00000", "", 0, 0), ("meta", "", 0, 0)]);
        assert_eq!(found[0].kbps, 0);
        assert_eq!((&found[0].video_source, &found[1].video_source), (&Some("0".into()), &None));
    }

    #[test]
    fn odd_and_missing_fields_are_borne() {
        let found = profiles(
            r#"<GetProfilesResponse>
            <Profiles token="a"><VideoEncoderConfiguration><Resolution/><RateControl><FrameRateLimit>fast</FrameRateLimit>
                <BitrateLimit>-1</BitrateLimit></RateControl><H264/></VideoEncoderConfiguration></Profiles>
            <Profiles token="b"><Configurations><VideoEncoder><Encoding>h.265</Encoding></VideoEncoder>
                <VideoSource token="config"/></Configurations></Profiles>
            <Profiles><Name>only a name</Name></Profiles>
            <Profiles token=""/>
            <trt:Profiles token="undeclared"><tt:VideoEncoderConfiguration><tt:Encoding>mjpeg</tt:Encoding></tt:VideoEncoderConfiguration></trt:Profiles>
            </GetProfilesResponse>"#,
        );
        let shown: Vec<_> =
            found.iter().map(|p| (p.token.as_str(), p.codec.as_str(), p.width, p.fps, p.kbps)).collect();
        assert_eq!(
            shown,
            [
                ("a", "H264", 0, 0, 0),
                ("b", "H265", 0, 0, 0),
                ("only a name", "", 0, 0, 0),
                ("undeclared", "JPEG", 0, 0, 0)
            ]
        );
        assert_eq!(found[1].video_source.as_deref(), Some("config"));
        assert!(profiles("<GetProfilesResponse/>").is_empty());
    }
}
