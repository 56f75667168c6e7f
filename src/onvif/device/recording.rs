//! The Recording service (ONVIF Recording Control). What is recorded, and when, is said by schedules and
//! alarms and not by others: recordings are there, one for each source, and cannot be made or deleted.

use super::fault::Fault;
use super::recorded::{self, TRACK};
use super::site::Site;
use super::write::tag;
use super::{Answer, Ask};

/// One of the service's operations.
pub async fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    match name {
        "GetServiceCapabilities" => Ok(super::capabilities::recording(ask.site().channels().len())),
        "GetRecordings" => Ok(ask.site().channels().iter().map(item).collect()),
        "GetRecordingConfiguration" => {
            Ok(recorded::configuration("trc:RecordingConfiguration", &recorded::asked(ask)?))
        }
        "GetRecordingOptions" => {
            recorded::asked(ask)?;
            Ok("<trc:Options><trc:Job Spare=\"0\"/><trc:Track SpareTotal=\"0\" SpareVideo=\"0\" SpareAudio=\"0\" \
                SpareMetadata=\"0\"/></trc:Options>"
                .into())
        }
        "GetTrackConfiguration" => {
            recorded::asked(ask)?;
            match ask.require(&["TrackToken"])? {
                TRACK => Ok(recorded::track_configuration("trc:TrackConfiguration")),
                other => Err(Fault::named(
                    &["ter:InvalidArgVal", "ter:NoTrack"],
                    format!("there is no track {other:.64}"),
                )),
            }
        }
        // What records is no job of theirs.
        "GetRecordingJobs" => Ok(String::new()),
        "GetRecordingJobConfiguration"
        | "GetRecordingJobState"
        | "DeleteRecordingJob"
        | "SetRecordingJobConfiguration"
        | "SetRecordingJobMode" => {
            let job = ask.require(&["JobToken"])?;
            let text = format!("there is no recording job {job:.64}");
            Err(Fault::named(&["ter:InvalidArgVal", "ter:NoRecordingJob"], text))
        }
        "CreateRecording"
        | "DeleteRecording"
        | "CreateTrack"
        | "DeleteTrack"
        | "CreateRecordingJob"
        | "SetRecordingConfiguration"
        | "SetTrackConfiguration" => Err(Fault::prohibited(name)),
        _ => Err(Fault::unknown(name)),
    }
}

/// `tt:GetRecordingsResponseItem`
fn item(channel: &super::Channel) -> String {
    format!(
        "<trc:RecordingItem>{}{}<tt:Tracks><tt:Track>{}{}</tt:Track></tt:Tracks></trc:RecordingItem>",
        tag("tt:RecordingToken", recorded::token(channel)),
        recorded::configuration("tt:Configuration", channel),
        tag("tt:TrackToken", TRACK),
        recorded::track_configuration("tt:Configuration"),
    )
}
