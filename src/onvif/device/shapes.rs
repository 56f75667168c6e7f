//! The pieces of `tt:` that several services show: configurations of sources, encoders and PTZ.

use super::Ask;
use super::names::{self, Quality};
use super::site::{Channel, Picture, Site, Video};
use super::write::tag;
use crate::base::spec::SUB;
use crate::onvif::xml::escape;

/// Longest `tt:Name`, in characters.
const MAX_NAME: usize = 64;
/// Size and rate of a video source that was never seen: the type has no way to leave them out.
const ASSUMED: (u32, u32, u32) = (1920, 1080, 25);

/// The velocity spaces that cameras are steered in.
pub const PAN_TILT_SPACE: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
pub const ZOOM_SPACE: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace";

/// What is known of one of the channel's streams.
pub fn video(channel: &Channel, quality: Quality) -> Video {
    match quality {
        Quality::Main => channel.main,
        Quality::Sub => channel.sub.flatten(),
    }
}

/// Width, height and rate of the video source.
pub fn size(channel: &Channel) -> (u32, u32, u32) {
    let seen = channel.main.or(channel.sub.flatten());
    seen.map_or(ASSUMED, |picture| (picture.width, picture.height, picture.fps))
}

/// `text` as a `tt:Name`.
pub fn name(text: &str) -> String {
    tag("tt:Name", text.chars().take(MAX_NAME).collect::<String>())
}

/// Name of a profile and of its encoder.
pub fn stream_name(channel: &Channel, quality: Quality) -> String {
    let room = MAX_NAME - " main".len();
    let start: String = channel.name.chars().take(room).collect();
    name(&format!("{start} {}", quality.as_str()))
}

/// How many profiles share the channel's source.
fn shares(channel: &Channel) -> usize {
    names::qualities(channel).count()
}

/// `tt:VideoSourceConfiguration`
pub fn source_configuration(element: &str, channel: &Channel) -> String {
    let (width, height, _) = size(channel);
    format!(
        "<{element} token=\"{}\">{}<tt:UseCount>{}</tt:UseCount><tt:SourceToken>{}</tt:SourceToken>\
         <tt:Bounds x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\"/></{element}>",
        names::video_source_configuration(channel),
        name(&channel.name),
        shares(channel),
        names::video_source(channel),
    )
}

/// `tt:VideoSourceConfigurationOptions`
pub fn source_options(element: &str, channel: &Channel) -> String {
    let (width, height, _) = size(channel);
    let range = |name: &str, value: u32| {
        format!("<tt:{name}><tt:Min>{value}</tt:Min><tt:Max>{value}</tt:Max></tt:{name}>")
    };
    format!(
        "<{element} MaximumNumberOfProfiles=\"{}\"><tt:BoundsRange>{}{}{}{}</tt:BoundsRange>\
         <tt:VideoSourceTokensAvailable>{}</tt:VideoSourceTokensAvailable></{element}>",
        shares(channel),
        range("XRange", 0),
        range("YRange", 0),
        range("WidthRange", width),
        range("HeightRange", height),
        names::video_source(channel),
    )
}

/// `tt:VideoEncoderConfiguration`, Media1's: H.265 is unknown there, and called H264.
pub fn encoder1(element: &str, channel: &Channel, quality: Quality, picture: &Picture) -> String {
    let Picture { width, height, fps, kbps, gop, .. } = picture;
    format!(
        "<{element} token=\"{}\">{}<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>\
         <tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>\
         <tt:Quality>1</tt:Quality><tt:RateControl><tt:FrameRateLimit>{fps}</tt:FrameRateLimit>\
         <tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl>\
         <tt:H264><tt:GovLength>{gop}</tt:GovLength><tt:H264Profile>{}</tt:H264Profile></tt:H264>\
         <tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>\
         <tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>\
         <tt:SessionTimeout>PT60S</tt:SessionTimeout></{element}>",
        names::encoder_configuration(channel, quality),
        stream_name(channel, quality),
        media1_profile(picture),
    )
}

/// The profile's name among the four that Media1 knows.
pub fn media1_profile(picture: &Picture) -> &'static str {
    match picture.profile.as_str() {
        "Main10" => "Main",
        known => known,
    }
}

/// `tt:VideoEncoder2Configuration`, Media2's.
pub fn encoder2(element: &str, channel: &Channel, quality: Quality, picture: &Picture) -> String {
    let Picture { codec, width, height, fps, kbps, gop, profile } = picture;
    format!(
        "<{element} token=\"{}\" GovLength=\"{gop}\" Profile=\"{}\">{}<tt:UseCount>1</tt:UseCount>\
         <tt:Encoding>{}</tt:Encoding>\
         <tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>\
         <tt:RateControl><tt:FrameRateLimit>{fps}</tt:FrameRateLimit>\
         <tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl><tt:Quality>1</tt:Quality></{element}>",
        names::encoder_configuration(channel, quality),
        profile.as_str(),
        stream_name(channel, quality),
        codec.as_str(),
    )
}

/// `tt:PTZConfiguration`
pub fn ptz_configuration(element: &str, channel: &Channel) -> String {
    format!(
        "<{element} token=\"{}\">{}<tt:UseCount>{}</tt:UseCount><tt:NodeToken>{}</tt:NodeToken>\
         <tt:DefaultContinuousPanTiltVelocitySpace>{PAN_TILT_SPACE}</tt:DefaultContinuousPanTiltVelocitySpace>\
         <tt:DefaultContinuousZoomVelocitySpace>{ZOOM_SPACE}</tt:DefaultContinuousZoomVelocitySpace>\
         <tt:DefaultPTZTimeout>PT60S</tt:DefaultPTZTimeout></{element}>",
        names::ptz(channel),
        name(&channel.name),
        shares(channel),
        names::ptz_node(channel),
    )
}

/// Where the stream is served, as this client reaches it.
pub fn stream_url<S: Site>(ask: &Ask<'_, S>, channel: &Channel, quality: Quality) -> String {
    let sub = if quality == Quality::Sub { SUB } else { "" };
    let (host, port) = (ask.host(), ask.site().rtsp_port());
    format!("rtsp://{host}:{port}/live/{}{sub}", escape(&channel.source))
}

/// Where the stream's picture is, as this client reaches it.
pub fn snapshot_url<S: Site>(ask: &Ask<'_, S>, channel: &Channel, quality: Quality) -> String {
    let token = names::profile_token(channel, quality);
    format!("{}{}{token}", ask.request.origin(), super::SNAPSHOT)
}
