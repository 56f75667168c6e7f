//! What is recorded, as the Recording, Search and Replay services show it: one recording for each source,
//! with one track, the picture.

use super::fault::Fault;
use super::names;
use super::shapes;
use super::site::{Channel, Site, Span};
use super::write::{moment, tag};
use super::{Ask, Quality};
use crate::base::wall::Wall;
use crate::onvif::xml::escape;

/// The one track of each recording. Sound is recorded where there is some, and not replayed over RTSP.
pub const TRACK: &str = "video";
const TRACK_TYPE: &str = "<tt:TrackType>Video</tt:TrackType>";

/// Token of the recording of a source.
pub fn token(channel: &Channel) -> String {
    format!("rec_{}", names::stem(&channel.source))
}

/// The channel whose recording is `token`.
///
/// # Errors
/// `ter:NoRecording`
pub fn named<'a>(channels: &'a [Channel], recording: &str) -> Result<&'a Channel, Fault> {
    names::channel(channels, recording, token).ok_or_else(|| {
        let text = format!("there is no recording {recording:.64}");
        Fault::named(&["ter:InvalidArgVal", "ter:NoRecording"], text)
    })
}

/// The channel whose recording the argument `RecordingToken` names.
///
/// # Errors
/// `ter:InvalidArgVal`, `ter:NoRecording`
pub fn asked<S: Site>(ask: &Ask<'_, S>) -> Result<Channel, Fault> {
    let recording = ask.require(&["RecordingToken"])?;
    named(&ask.site().channels(), recording).cloned()
}

/// All that is recorded of a source.
pub async fn all<S: Site>(ask: &Ask<'_, S>, channel: &Channel) -> Vec<Span> {
    ask.site().recorded(&channel.source, Wall(0), Wall(i64::MAX)).await
}

/// Beginning and end of it all.
pub fn bounds(spans: &[Span]) -> Option<(Wall, Wall)> {
    let end = spans.iter().map(|span| span.end).max()?;
    Some((spans.iter().map(|span| span.start).min()?, end))
}

/// `tt:RecordingSourceInformation`
pub fn source(element: &str, channel: &Channel) -> String {
    format!(
        "<{element}><tt:SourceId>urn:h5edge:{}</tt:SourceId>{}<tt:Location></tt:Location>\
         <tt:Description>{}</tt:Description><tt:Address></tt:Address></{element}>",
        names::stem(&channel.source),
        shapes::name(&channel.name),
        escape(&channel.name),
    )
}

/// `tt:RecordingConfiguration`
pub fn configuration(element: &str, channel: &Channel) -> String {
    format!(
        "<{element}>{}<tt:Content>{}</tt:Content><tt:MaximumRetentionTime>PT0S</tt:MaximumRetentionTime></{element}>",
        source("tt:Source", channel),
        escape(&channel.name),
    )
}

/// `tt:TrackConfiguration`
pub fn track_configuration(element: &str) -> String {
    format!("<{element}>{TRACK_TYPE}<tt:Description>{TRACK}</tt:Description></{element}>")
}

/// `tt:TrackInformation`; of nothing there is none.
fn track(element: &str, spans: &[Span]) -> String {
    let Some((from, to)) = bounds(spans) else { return String::new() };
    format!(
        "<{element}><tt:TrackToken>{TRACK}</tt:TrackToken>{TRACK_TYPE}<tt:Description>{TRACK}</tt:Description>\
         {}{}</{element}>",
        tag("tt:DataFrom", moment(from)),
        tag("tt:DataTo", moment(to)),
    )
}

/// `tt:RecordingInformation`
pub fn information(element: &str, channel: &Channel, spans: &[Span]) -> String {
    let times = bounds(spans).map_or_else(String::new, |(from, to)| {
        tag("tt:EarliestRecording", moment(from)) + &tag("tt:LatestRecording", moment(to))
    });
    let status = match spans {
        [] => "Initiated",
        spans if spans.iter().any(|span| span.open) => "Recording",
        _ => "Stopped",
    };
    format!(
        "<{element}>{}{}{times}<tt:Content>{}</tt:Content>{}{}</{element}>",
        tag("tt:RecordingToken", token(channel)),
        source("tt:Source", channel),
        escape(&channel.name),
        track("tt:Track", spans),
        tag("tt:RecordingStatus", status),
    )
}

/// `tt:MediaAttributes` of the moment `at`; `spans` are those around it.
pub fn attributes(element: &str, channel: &Channel, at: Wall, spans: &[Span]) -> String {
    let there = spans.iter().find(|span| span.start <= at && at <= span.end);
    let picture = shapes::video(channel, Quality::Main);
    let tracks = there.zip(picture).map_or_else(String::new, |(span, picture)| {
        format!(
            "<tt:TrackAttributes>{}<tt:VideoAttributes>{}{}{}{}{}</tt:VideoAttributes></tt:TrackAttributes>",
            track("tt:TrackInformation", &[*span]),
            tag("tt:Bitrate", picture.kbps),
            tag("tt:Width", picture.width),
            tag("tt:Height", picture.height),
            tag("tt:Encoding", picture.codec.as_str()),
            tag("tt:Framerate", picture.fps),
        )
    });
    let (from, to) = there.map_or((at, at), |span| (span.start, span.end));
    format!(
        "<{element}>{}{tracks}{}{}</{element}>",
        tag("tt:RecordingToken", token(channel)),
        tag("tt:From", moment(from)),
        tag("tt:Until", moment(to)),
    )
}
