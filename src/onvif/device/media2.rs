//! The Media service of Profile T (`ver20/media`). Profiles are fixed.

use super::fault::Fault;
use super::names::{self, Quality};
use super::site::{Channel, Picture, Site};
use super::write::tag;
use super::{Answer, Ask, shapes};

/// One of the service's operations.
pub fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    let channels = ask.site().channels();
    match name {
        "GetServiceCapabilities" => Ok(super::capabilities::media2(channels.len())),
        "GetProfiles" => profiles(ask, &channels),
        "GetVideoSourceConfigurations" => Ok(sources(ask, &channels)?
            .into_iter()
            .map(|channel| shapes::source_configuration("tr2:Configurations", channel))
            .collect()),
        "GetVideoSourceConfigurationOptions" => {
            let chosen = sources(ask, &channels)?;
            let channel = chosen.first().ok_or_else(|| no_configuration("of a video source"))?;
            Ok(shapes::source_options("tr2:Options", channel))
        }
        "GetVideoEncoderConfigurations" => Ok(encoders(ask, &channels)?
            .into_iter()
            .map(|(channel, quality, picture)| {
                shapes::encoder2("tr2:Configurations", channel, quality, &picture)
            })
            .collect()),
        "GetVideoEncoderConfigurationOptions" => {
            Ok(encoders(ask, &channels)?.iter().map(|(_, _, picture)| encoder_options(picture)).collect())
        }
        "GetVideoEncoderInstances" => {
            let token = ask.require(&["ConfigurationToken"])?;
            names::channel(&channels, token, names::video_source_configuration)
                .map(instances)
                .ok_or_else(|| no_configuration(token))
        }
        "GetStreamUri" => {
            let (channel, quality) = named_profile(ask, &channels)?;
            check_protocol(ask)?;
            Ok(tag("tr2:Uri", shapes::stream_url(ask, channel, quality)))
        }
        "GetSnapshotUri" => {
            let (channel, quality) = named_profile(ask, &channels)?;
            Ok(tag("tr2:Uri", shapes::snapshot_url(ask, channel, quality)))
        }
        // Viewers begin at a key frame in any case.
        "SetSynchronizationPoint" => named_profile(ask, &channels).map(|_| String::new()),
        // There are none.
        "GetAudioSourceConfigurations"
        | "GetAudioEncoderConfigurations"
        | "GetAudioEncoderConfigurationOptions"
        | "GetAudioOutputConfigurations"
        | "GetAudioDecoderConfigurations"
        | "GetMetadataConfigurations"
        | "GetAnalyticsConfigurations"
        | "GetMasks"
        | "GetOSDs" => Ok(String::new()),
        "CreateProfile" => Err(Fault::receiver(
            &["ter:Action", "ter:MaxNVTProfiles"],
            "the profiles are fixed, there is no room for others",
        )),
        "DeleteProfile" => {
            let token = ask.require(&["Token"])?;
            names::profile(&channels, token)?;
            Err(Fault::named(&["ter:Action", "ter:DeletionOfFixedProfile"], "the profile is fixed"))
        }
        "AddConfiguration"
        | "RemoveConfiguration"
        | "SetVideoSourceConfiguration"
        | "SetVideoEncoderConfiguration"
        | "SetMetadataConfiguration" => Err(Fault::prohibited(name)),
        _ => Err(Fault::unknown(name)),
    }
}

/// `GetProfiles`: with the sorts of configuration that `Type` asks for.
fn profiles<S: Site>(ask: &Ask<'_, S>, channels: &[Channel]) -> Answer {
    let types: Vec<&str> = ask.arguments.all("Type").map(|kind| kind.text.as_str()).collect();
    let wants = |kind: &str| types.contains(&"All") || types.contains(&kind);
    let one = |(channel, quality): (&Channel, Quality)| {
        let mut inside = String::new();
        if wants("VideoSource") {
            inside += &shapes::source_configuration("tr2:VideoSource", channel);
        }
        if let Some(picture) = shapes::video(channel, quality).filter(|_| wants("VideoEncoder")) {
            inside += &shapes::encoder2("tr2:VideoEncoder", channel, quality, &picture);
        }
        if channel.ptz && wants("PTZ") {
            inside += &shapes::ptz_configuration("tr2:PTZ", channel);
        }
        if !types.is_empty() {
            inside = format!("<tr2:Configurations>{inside}</tr2:Configurations>");
        }
        format!(
            "<tr2:Profiles token=\"{}\" fixed=\"true\">{}{inside}</tr2:Profiles>",
            names::profile_token(channel, quality),
            profile_name(channel, quality),
        )
    };
    match ask.get(&["Token"]) {
        Some(token) => names::profile(channels, token).map(one),
        None => Ok(streams(channels).map(one).collect()),
    }
}

/// Unlike everything inside it, the name of a profile is in the service's namespace.
fn profile_name(channel: &Channel, quality: Quality) -> String {
    shapes::stream_name(channel, quality).replace("tt:Name>", "tr2:Name>")
}

fn streams(channels: &[Channel]) -> impl Iterator<Item = (&Channel, Quality)> {
    channels.iter().flat_map(|channel| names::qualities(channel).map(move |quality| (channel, quality)))
}

fn named_profile<'a, S: Site>(
    ask: &Ask<'_, S>,
    channels: &'a [Channel],
) -> Result<(&'a Channel, Quality), Fault> {
    names::profile(channels, ask.require(&["ProfileToken"])?)
}

/// The channels that `ConfigurationToken` or `ProfileToken` names; all without either.
fn sources<'a, S: Site>(ask: &Ask<'_, S>, channels: &'a [Channel]) -> Result<Vec<&'a Channel>, Fault> {
    if let Some(token) = ask.get(&["ConfigurationToken"]) {
        return names::channel(channels, token, names::video_source_configuration)
            .map(|channel| vec![channel])
            .ok_or_else(|| no_configuration(token));
    }
    match ask.get(&["ProfileToken"]) {
        Some(token) => names::profile(channels, token).map(|(channel, _)| vec![channel]),
        None => Ok(channels.iter().collect()),
    }
}

type Encoder<'a> = (&'a Channel, Quality, Picture);

/// The same for encoders. Of a stream that was never seen there is none.
fn encoders<'a, S: Site>(ask: &Ask<'_, S>, channels: &'a [Channel]) -> Result<Vec<Encoder<'a>>, Fault> {
    let seen = |(channel, quality)| Some((channel, quality, shapes::video(channel, quality)?));
    if let Some(token) = ask.get(&["ConfigurationToken"]) {
        return names::stream(channels, token, names::encoder_configuration)
            .and_then(seen)
            .map(|encoder| vec![encoder])
            .ok_or_else(|| no_configuration(token));
    }
    match ask.get(&["ProfileToken"]) {
        Some(token) => names::profile(channels, token).map(|stream| seen(stream).into_iter().collect()),
        None => Ok(streams(channels).filter_map(seen).collect()),
    }
}

fn no_configuration(token: &str) -> Fault {
    Fault::named(&["ter:InvalidArgVal", "ter:NoConfig"], format!("there is no configuration {token:.64}"))
}

/// What the encoder does is what it can do.
fn encoder_options(picture: &Picture) -> String {
    let Picture { codec, width, height, fps, kbps, gop, profile } = picture;
    format!(
        "<tr2:Options GovLengthRange=\"{gop} {gop}\" FrameRatesSupported=\"{fps}\" ProfilesSupported=\"{}\" \
         ConstantBitRateSupported=\"false\"><tt:Encoding>{}</tt:Encoding>\
         <tt:QualityRange><tt:Min>1</tt:Min><tt:Max>1</tt:Max></tt:QualityRange>\
         <tt:ResolutionsAvailable><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:ResolutionsAvailable>\
         <tt:BitrateRange><tt:Min>{kbps}</tt:Min><tt:Max>{kbps}</tt:Max></tt:BitrateRange></tr2:Options>",
        profile.as_str(),
        codec.as_str(),
    )
}

fn instances(channel: &Channel) -> String {
    let seen: Vec<_> = names::qualities(channel)
        .filter_map(|quality| Some(shapes::video(channel, quality)?.codec.as_str()))
        .collect();
    let mut codecs = seen.clone();
    codecs.dedup();
    let entries: String = codecs
        .iter()
        .map(|codec| {
            let number = seen.iter().filter(|other| *other == codec).count();
            format!("<tr2:Codec>{}{}</tr2:Codec>", tag("tr2:Encoding", codec), tag("tr2:Number", number))
        })
        .collect();
    let total = tag("tr2:Total", names::qualities(channel).count());
    format!("<tr2:Info>{entries}{total}</tr2:Info>")
}

/// Only unicast, over UDP or inside RTSP.
fn check_protocol<S: Site>(ask: &Ask<'_, S>) -> Result<(), Fault> {
    match ask.get(&["Protocol"]).unwrap_or("RTSP") {
        "RtspUnicast" | "RTSP" => Ok(()),
        other => Err(Fault::named(
            &["ter:InvalidArgVal", "ter:InvalidStreamSetup"],
            format!("{other:.32} is not served: RtspUnicast and RTSP are"),
        )),
    }
}
