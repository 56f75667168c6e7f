//! The Media service of Profile S (`ver10/media`), for the clients of today. Profiles are fixed.
//!
//! It has no word for H.265: such a stream is left out where its source has one in H.264, else it is
//! called H264 where [`Site::h265_as_h264`] says so.

use super::fault::Fault;
use super::names::{self, Quality};
use super::site::{Channel, Codec, Picture, Site};
use super::write::tag;
use super::{Answer, Ask, shapes};

/// One of the service's operations.
pub fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    let channels = ask.site().channels();
    let shown = Shown { ask, channels: &channels };
    match name {
        "GetServiceCapabilities" => Ok(super::capabilities::media(channels.len())),
        "GetProfiles" => Ok(shown.streams().map(|stream| shown.profile("trt:Profiles", stream)).collect()),
        "GetProfile" => Ok(shown.profile("trt:Profile", shown.named_profile()?)),
        "GetVideoSources" => Ok(channels.iter().map(video_source).collect()),
        "GetVideoSourceConfigurations" => {
            Ok(channels.iter().map(|c| shapes::source_configuration("trt:Configurations", c)).collect())
        }
        "GetCompatibleVideoSourceConfigurations" => {
            let (channel, _) = shown.named_profile()?;
            Ok(shapes::source_configuration("trt:Configurations", channel))
        }
        "GetVideoSourceConfiguration" => {
            Ok(shapes::source_configuration("trt:Configuration", shown.named_source_configuration()?))
        }
        "GetVideoSourceConfigurationOptions" => {
            let channel = match ask.get(&["ProfileToken"]) {
                Some(_) => shown.named_profile()?.0,
                None => shown.named_source_configuration()?,
            };
            Ok(shapes::source_options("trt:Options", channel))
        }
        "GetVideoEncoderConfigurations" => Ok(shown
            .encoders()
            .map(|(channel, quality, picture)| {
                shapes::encoder1("trt:Configurations", channel, quality, &picture)
            })
            .collect()),
        "GetCompatibleVideoEncoderConfigurations" => {
            let stream = shown.named_profile()?;
            let encoder = |picture| shapes::encoder1("trt:Configurations", stream.0, stream.1, &picture);
            Ok(shapes::video(stream.0, stream.1).map(encoder).unwrap_or_default())
        }
        "GetVideoEncoderConfiguration" => {
            let (channel, quality, picture) = shown.named_encoder()?;
            Ok(shapes::encoder1("trt:Configuration", channel, quality, &picture))
        }
        "GetVideoEncoderConfigurationOptions" => shown.encoder_options(),
        "GetGuaranteedNumberOfVideoEncoderInstances" => {
            let number = names::qualities(shown.named_source_configuration()?).count();
            Ok(tag("trt:TotalNumber", number) + &tag("trt:H264", number))
        }
        "GetStreamUri" => {
            let (channel, quality) = shown.named_profile()?;
            check_setup(ask)?;
            Ok(media_uri(&shapes::stream_url(ask, channel, quality)))
        }
        "GetSnapshotUri" => {
            let (channel, quality) = shown.named_profile()?;
            Ok(media_uri(&shapes::snapshot_url(ask, channel, quality)))
        }
        // Viewers begin at a key frame in any case.
        "SetSynchronizationPoint" => shown.named_profile().map(|_| String::new()),
        // There are none.
        "GetAudioSources"
        | "GetAudioSourceConfigurations"
        | "GetAudioEncoderConfigurations"
        | "GetAudioOutputs"
        | "GetAudioOutputConfigurations"
        | "GetAudioDecoderConfigurations"
        | "GetMetadataConfigurations"
        | "GetVideoAnalyticsConfigurations"
        | "GetCompatibleAudioSourceConfigurations"
        | "GetCompatibleAudioEncoderConfigurations"
        | "GetCompatibleAudioOutputConfigurations"
        | "GetCompatibleAudioDecoderConfigurations"
        | "GetCompatibleMetadataConfigurations"
        | "GetCompatibleVideoAnalyticsConfigurations"
        | "GetOSDs" => Ok(String::new()),
        "CreateProfile" => Err(Fault::receiver(
            &["ter:Action", "ter:MaxNVTProfiles"],
            "the profiles are fixed, there is no room for others",
        )),
        "DeleteProfile" => {
            shown.named_profile()?;
            Err(Fault::named(&["ter:Action", "ter:DeletionOfFixedProfile"], "the profile is fixed"))
        }
        "SetVideoSourceConfiguration"
        | "SetVideoEncoderConfiguration"
        | "SetMetadataConfiguration"
        | "AddVideoSourceConfiguration"
        | "AddVideoEncoderConfiguration"
        | "AddPTZConfiguration"
        | "AddMetadataConfiguration"
        | "RemoveVideoSourceConfiguration"
        | "RemoveVideoEncoderConfiguration"
        | "RemovePTZConfiguration"
        | "RemoveMetadataConfiguration" => Err(Fault::prohibited(name)),
        _ => Err(Fault::unknown(name)),
    }
}

/// The streams as this service shows them.
struct Shown<'a, S> {
    ask: &'a Ask<'a, S>,
    channels: &'a [Channel],
}

type Stream<'a> = (&'a Channel, Quality);

impl<'a, S: Site> Shown<'a, S> {
    /// Those that can be told in this service.
    fn streams(&self) -> impl Iterator<Item = Stream<'a>> {
        let as_h264 = self.ask.site().h265_as_h264();
        self.channels.iter().flat_map(move |channel| {
            let qualities = names::qualities(channel);
            qualities.filter(move |q| tellable(channel, *q, as_h264)).map(move |q| (channel, q))
        })
    }

    fn encoders(&self) -> impl Iterator<Item = (&'a Channel, Quality, Picture)> {
        self.streams()
            .filter_map(|(channel, quality)| Some((channel, quality, shapes::video(channel, quality)?)))
    }

    /// The profile that `ProfileToken` names, also one that is not listed: its token may come from
    /// Media2.
    fn named_profile(&self) -> Result<Stream<'a>, Fault> {
        let token = self.ask.require(&["ProfileToken"])?;
        names::profile(self.channels, token)
    }

    fn named_source_configuration(&self) -> Result<&'a Channel, Fault> {
        let token = self.ask.require(&["ConfigurationToken"])?;
        names::channel(self.channels, token, names::video_source_configuration)
            .ok_or_else(|| no_configuration(token))
    }

    fn named_encoder(&self) -> Result<(&'a Channel, Quality, Picture), Fault> {
        let token = self.ask.require(&["ConfigurationToken"])?;
        names::stream(self.channels, token, names::encoder_configuration)
            .and_then(|(channel, quality)| Some((channel, quality, shapes::video(channel, quality)?)))
            .ok_or_else(|| no_configuration(token))
    }

    fn profile(&self, element: &str, (channel, quality): Stream<'_>) -> String {
        let encoder = shapes::video(channel, quality)
            .map(|picture| shapes::encoder1("tt:VideoEncoderConfiguration", channel, quality, &picture));
        let ptz = channel.ptz.then(|| shapes::ptz_configuration("tt:PTZConfiguration", channel));
        format!(
            "<{element} token=\"{}\" fixed=\"true\">{}{}{}{}</{element}>",
            names::profile_token(channel, quality),
            shapes::stream_name(channel, quality),
            shapes::source_configuration("tt:VideoSourceConfiguration", channel),
            encoder.unwrap_or_default(),
            ptz.unwrap_or_default(),
        )
    }

    fn encoder_options(&self) -> Answer {
        let pictures: Vec<Picture> =
            match (self.ask.get(&["ConfigurationToken"]), self.ask.get(&["ProfileToken"])) {
                (Some(_), _) => vec![self.named_encoder()?.2],
                (None, Some(_)) => {
                    let (channel, quality) = self.named_profile()?;
                    shapes::video(channel, quality).into_iter().collect()
                }
                (None, None) => self.encoders().map(|(_, _, picture)| picture).collect(),
            };
        Ok(options(&pictures))
    }
}

/// Whether Media1 has words for the stream.
fn tellable(channel: &Channel, quality: Quality, h265_as_h264: bool) -> bool {
    let codec = |quality| shapes::video(channel, quality).map(|picture| picture.codec);
    let other = match quality {
        Quality::Main => codec(Quality::Sub),
        Quality::Sub => codec(Quality::Main),
    };
    match codec(quality) {
        Some(Codec::H265) => other != Some(Codec::H264) && h265_as_h264,
        Some(Codec::H264) | None => true,
    }
}

fn no_configuration(token: &str) -> Fault {
    Fault::named(&["ter:InvalidArgVal", "ter:NoConfig"], format!("there is no configuration {token:.64}"))
}

fn video_source(channel: &Channel) -> String {
    let (width, height, fps) = shapes::size(channel);
    format!(
        "<trt:VideoSources token=\"{}\"><tt:Framerate>{fps}</tt:Framerate><tt:Resolution>\
         <tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution></trt:VideoSources>",
        names::video_source(channel)
    )
}

/// What the encoders do is what they can do.
fn options(pictures: &[Picture]) -> String {
    let mut inside = "<tt:QualityRange><tt:Min>1</tt:Min><tt:Max>1</tt:Max></tt:QualityRange>".to_owned();
    if let Some(h264) = h264_options(pictures) {
        inside += &format!("<tt:H264>{h264}</tt:H264>");
        let bitrate = range("BitrateRange", pictures.iter().map(|picture| picture.kbps));
        inside += &format!("<tt:Extension><tt:H264>{h264}{bitrate}</tt:H264></tt:Extension>");
    }
    format!("<trt:Options>{inside}</trt:Options>")
}

fn h264_options(pictures: &[Picture]) -> Option<String> {
    pictures.first()?;
    let mut sizes: Vec<_> = pictures.iter().map(|picture| (picture.width, picture.height)).collect();
    let mut profiles: Vec<_> = pictures.iter().map(shapes::media1_profile).collect();
    sizes.sort_unstable();
    sizes.dedup();
    profiles.sort_unstable();
    profiles.dedup();
    let mut inside = String::new();
    for (width, height) in sizes {
        let size = tag("tt:Width", width) + &tag("tt:Height", height);
        inside += &format!("<tt:ResolutionsAvailable>{size}</tt:ResolutionsAvailable>");
    }
    inside += &range("GovLengthRange", pictures.iter().map(|picture| picture.gop));
    inside += &range("FrameRateRange", pictures.iter().map(|picture| picture.fps));
    inside += &range("EncodingIntervalRange", [1].into_iter());
    for profile in profiles {
        inside += &tag("tt:H264ProfilesSupported", profile);
    }
    Some(inside)
}

fn range(name: &str, values: impl Iterator<Item = u32> + Clone) -> String {
    let (min, max) = (values.clone().min().unwrap_or(1), values.max().unwrap_or(1));
    format!("<tt:{name}><tt:Min>{min}</tt:Min><tt:Max>{max}</tt:Max></tt:{name}>")
}

/// Only unicast, over UDP or inside RTSP.
fn check_setup<S: Site>(ask: &Ask<'_, S>) -> Result<(), Fault> {
    let stream = ask.get(&["StreamSetup", "Stream"]).unwrap_or("RTP-Unicast");
    let protocol = ask.get(&["StreamSetup", "Transport", "Protocol"]).unwrap_or("RTSP");
    if stream == "RTP-Unicast" && matches!(protocol, "UDP" | "TCP" | "RTSP") {
        return Ok(());
    }
    Err(Fault::named(
        &["ter:InvalidArgVal", "ter:InvalidStreamSetup"],
        format!("{stream:.32} over {protocol:.32} is not served: RTP-Unicast over UDP or RTSP is"),
    ))
}

/// `tt:MediaUri` that is good for ever.
fn media_uri(url: &str) -> String {
    format!(
        "<trt:MediaUri><tt:Uri>{url}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
         <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
    )
}
