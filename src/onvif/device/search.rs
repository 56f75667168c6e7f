//! The Search service: what is recorded of which source, and when it begins and ends. A search is done
//! when it is asked for; its results wait in [`super::searches`] until they are fetched.

use super::fault::Fault;
use super::recorded::{self, TRACK};
use super::searches::{Batch, MAX_RESULTS, Results};
use super::site::{Channel, Site, Span};
use super::topics::{DIALECT, Filter};
use super::write::{moment, tag};
use super::{Answer, Ask};
use crate::base::wall::Wall;
use crate::onvif::xml::Element;

/// Topics of what is found by `FindEvents` (ONVIF Recording Search 5.23).
const RECORDING_STATE: &str = "RecordingHistory/Recording/State";
const TRACK_STATE: &str = "RecordingHistory/Track/State";

/// Something that began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Token of the recording.
    recording: String,
    at: Wall,
    topic: &'static str,
    /// Whether it is recorded from then on.
    state: bool,
    /// It is how things stood at the start of the search.
    start: bool,
}

/// One of the service's operations.
pub async fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    match name {
        "GetServiceCapabilities" => Ok(super::capabilities::search()),
        "GetRecordingSummary" => summary(ask).await,
        "GetRecordingInformation" => {
            let channel = recorded::asked(ask)?;
            let spans = recorded::all(ask, &channel).await;
            Ok(recorded::information("tse:RecordingInformation", &channel, &spans))
        }
        "GetMediaAttributes" => attributes(ask).await,
        "FindRecordings" => {
            let mut found: Vec<String> = scope(ask)?.iter().map(recorded::token).collect();
            found.truncate(most(ask)?);
            begin(ask, Results::Recordings(found.into()))
        }
        "GetRecordingSearchResults" => recordings(ask).await,
        "FindEvents" => {
            let found = events(ask).await?;
            begin(ask, Results::Events(found.into()))
        }
        "GetEventSearchResults" => {
            let Batch { results: Results::Events(found), done } = batch(ask)? else {
                return Err(other_kind());
            };
            let found: String = found.iter().map(event).collect();
            Ok(format!("<tse:ResultList>{}{found}</tse:ResultList>", state("tt:SearchState", done)))
        }
        "GetSearchState" => {
            let done = ask.device.searches.is_done(ask.require(&["SearchToken"])?)?;
            Ok(state("tse:State", done))
        }
        "EndSearch" => {
            let reached = ask.device.searches.end(ask.require(&["SearchToken"])?)?;
            Ok(tag("tse:Endpoint", super::write::date_time(reached)))
        }
        _ => Err(Fault::unknown(name)),
    }
}

async fn summary<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let channels = ask.site().channels();
    let mut spans: Vec<Span> = Vec::new();
    for channel in &channels {
        spans.extend(recorded::all(ask, channel).await);
    }
    let now = Wall::from(std::time::SystemTime::now());
    let (from, to) = recorded::bounds(&spans).unwrap_or((now, now));
    Ok(format!(
        "<tse:Summary>{}{}{}</tse:Summary>",
        tag("tt:DataFrom", moment(from)),
        tag("tt:DataUntil", moment(to)),
        tag("tt:NumberRecordings", channels.len()),
    ))
}

async fn attributes<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let channels = ask.site().channels();
    let at = time(ask.require(&["Time"])?)?;
    let mut wanted = Vec::new();
    for recording in ask.arguments.all("RecordingTokens") {
        wanted.push(recorded::named(&channels, &recording.text)?);
    }
    if wanted.is_empty() {
        wanted.extend(&channels);
    }
    let mut inside = String::new();
    for channel in wanted {
        let spans = ask.site().recorded(&channel.source, at, at.plus_millis(1)).await;
        inside += &recorded::attributes("tse:MediaAttributes", channel, at, &spans);
    }
    Ok(inside)
}

/// `GetRecordingSearchResults`: the recordings as they are now.
async fn recordings<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let Batch { results: Results::Recordings(found), done } = batch(ask)? else { return Err(other_kind()) };
    let channels = ask.site().channels();
    let mut inside = state("tt:SearchState", done);
    for recording in found {
        // One whose source was deleted meanwhile is not there any more.
        if let Ok(channel) = recorded::named(&channels, &recording) {
            let spans = recorded::all(ask, channel).await;
            inside += &recorded::information("tt:RecordingInformation", channel, &spans);
        }
    }
    Ok(format!("<tse:ResultList>{inside}</tse:ResultList>"))
}

/// What `Scope` names; everything if it names nothing.
fn scope<S: Site>(ask: &Ask<'_, S>) -> Result<Vec<Channel>, Fault> {
    let mut channels = ask.site().channels();
    let Some(scope) = ask.arguments.child("Scope") else { return Ok(channels) };
    let texts = |name| scope.all(name).map(|element: &Element| element.text.clone()).collect::<Vec<_>>();
    let recordings = texts("IncludedRecordings");
    for recording in &recordings {
        recorded::named(&channels, recording)?;
    }
    if !recordings.is_empty() {
        channels.retain(|channel| recordings.contains(&recorded::token(channel)));
    }
    let sources: Vec<_> =
        scope.all("IncludedSources").filter_map(|source| source.text_at(&["Token"])).collect();
    if !sources.is_empty() {
        let is_named = |channel: &Channel| {
            let known = [channel.source.clone(), super::names::video_source(channel)];
            sources.iter().any(|source| known.iter().any(|name| name == source))
        };
        channels.retain(is_named);
    }
    // An XPath. The one that clients use asks for a type of track, and all ours are pictures.
    if scope.text_at(&["RecordingInformationFilter"]).is_some_and(|filter| !filter.contains("Video")) {
        channels.clear();
    }
    Ok(channels)
}

/// `FindEvents`: in the order of time, backwards if the end lies before the start.
async fn events<S: Site>(ask: &Ask<'_, S>) -> Result<Vec<Event>, Fault> {
    let start = time(ask.require(&["StartPoint"])?)?;
    let end = ask.get(&["EndPoint"]).map(time).transpose()?.unwrap_or(Wall(i64::MAX));
    let (from, to) = (start.min(end), start.max(end));
    let filter = Filter::read(ask.arguments.child("SearchFilter"))?;
    let with_start = matches!(ask.get(&["IncludeStartState"]), Some("true" | "1"));
    let mut found = Vec::new();
    for channel in scope(ask)? {
        let spans = ask.site().recorded(&channel.source, from, to.plus_millis(1)).await;
        let recording = &recorded::token(&channel);
        let happened = |at, state, start| {
            let event = move |topic| Event { recording: recording.clone(), at, topic, state, start };
            [RECORDING_STATE, TRACK_STATE].map(event)
        };
        if with_start {
            let state = spans.iter().any(|span| span.start <= start && start < span.end);
            found.extend(happened(start, state, true));
        }
        for span in &spans {
            let end = Some(span.end).filter(|_| !span.open);
            for (at, state) in [(Some(span.start), true), (end, false)] {
                found.extend(
                    at.filter(|at| (from..=to).contains(at))
                        .into_iter()
                        .flat_map(|at| happened(at, state, false)),
                );
            }
        }
    }
    found.retain(|event: &Event| filter.lets_path(event.topic));
    found.sort_by_key(|event| (!event.start, event.at));
    if end < start {
        let first = found.iter().filter(|event| event.start).count();
        if let Some(rest) = found.get_mut(first..) {
            rest.reverse();
        }
    }
    found.truncate(most(ask)?);
    Ok(found)
}

/// `tt:FindEventResult`
fn event(event: &Event) -> String {
    let item = |name: &str, value: &str| format!("<tt:SimpleItem Name=\"{name}\" Value=\"{value}\"/>");
    let (source, data) = match event.topic {
        TRACK_STATE => (item("Track", TRACK), "IsDataPresent"),
        _ => (String::new(), "IsRecording"),
    };
    let at = moment(event.at);
    format!(
        "<tt:Result>{}{}{}<tt:Event><wsnt:Topic Dialect=\"{DIALECT}\">tns1:{}</wsnt:Topic><wsnt:Message>\
         <tt:Message UtcTime=\"{at}\"><tt:Source>{}{source}</tt:Source><tt:Data>{}</tt:Data></tt:Message>\
         </wsnt:Message></tt:Event>{}</tt:Result>",
        tag("tt:RecordingToken", &event.recording),
        tag("tt:TrackToken", TRACK),
        tag("tt:Time", &at),
        event.topic,
        item("RecordingToken", &event.recording),
        item(data, if event.state { "true" } else { "false" }),
        tag("tt:StartStateEvent", event.start),
    )
}

/// Keeps the results of a search; the token that they are fetched with.
fn begin<S: Site>(ask: &Ask<'_, S>, results: Results) -> Answer {
    let patience = ask.get(&["KeepAliveTime"]).unwrap_or("PT60S");
    ask.device.searches.begin(results, patience).map(|token| tag("tse:SearchToken", token))
}

/// The next results.
fn batch<S: Site>(ask: &Ask<'_, S>) -> Result<Batch, Fault> {
    let most = number(ask, "MaxResults")?.unwrap_or(MAX_RESULTS);
    ask.device.searches.take(ask.require(&["SearchToken"])?, most)
}

fn most<S: Site>(ask: &Ask<'_, S>) -> Result<usize, Fault> {
    Ok(number(ask, "MaxMatches")?.unwrap_or(MAX_RESULTS).min(MAX_RESULTS))
}

fn number<S: Site>(ask: &Ask<'_, S>, name: &str) -> Result<Option<usize>, Fault> {
    let wrong = |_| Fault::argument(format!("{name} is not a number"));
    ask.get(&[name]).map(|text| text.parse().map_err(wrong)).transpose()
}

fn state(element: &str, done: bool) -> String {
    tag(element, if done { "Completed" } else { "Searching" })
}

fn other_kind() -> Fault {
    Fault::named(&["ter:InvalidArgVal", "ter:InvalidToken"], "the search is for something else")
}

/// `xs:dateTime`; without a zone it is taken for UTC.
fn time(text: &str) -> Result<Wall, Fault> {
    let parsed = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}Z").parse());
    let stamp = parsed.map_err(|_| Fault::argument(format!("{text:.40} is no time")))?;
    Ok(Wall(stamp.as_millisecond()))
}
