//! Recordings of our device as a client meets them: listed, searched and replayed, by the daemon itself.

use std::time::Duration;

use h5edge::onvif::Service;
use h5edge::onvif::xml::Element;

use crate::device::{PASSWORD, Site, USER};
use crate::rtsp::site::{ffprobe, frames};
use crate::schema::{Kept, judge};
use crate::soap::{self, Login, call, content, subcode};
use crate::support::{scene, wait_for};

const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn recordings_are_listed_searched_and_replayed() {
    let site = Site::with_a_ptz_camera();
    let mut kept = Kept::new();
    let port = site.daemon.http;
    let mut ask = |service: Service, operation: &str, arguments: &str| -> Element {
        let answer = call(port, Login::token(USER, PASSWORD), service, operation, arguments);
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        kept.keep(operation, &answer.body);
        content(&answer)
    };
    site.wait_for_ptz();
    for service in [Service::Recording, Service::Search, Service::Replay] {
        ask(service, "GetServiceCapabilities", "");
    }
    let find = "<Scope/><KeepAliveTime>PT30S</KeepAliveTime>";
    let listed = ask(Service::Recording, "GetRecordings", "");
    let recordings: Vec<_> =
        listed.children.iter().filter_map(|item| item.text_at(&["RecordingToken"])).collect();
    assert_eq!(recordings, ["rec_mock", "rec_gate"]);
    let gate = "<RecordingToken>rec_gate</RecordingToken>";
    let nothing = ask(Service::Search, "GetRecordingInformation", gate);
    assert_eq!(nothing.find("RecordingStatus").unwrap().text, "Initiated");

    scene::wait_pictures(&site.daemon, "gate");
    site.daemon.api_ok("ManualRecordStart", &[("token", "gate")]);
    wait_for("some seconds of recording", PATIENCE, || {
        let known = ask(Service::Search, "GetRecordingInformation", gate);
        (known.find("RecordingStatus")?.text == "Recording").then_some(())
    });
    std::thread::sleep(Duration::from_secs(4));
    site.daemon.api_ok("ManualRecordStop", &[("token", "gate")]);

    let known = ask(Service::Search, "GetRecordingInformation", gate);
    assert_eq!(known.find("RecordingStatus").unwrap().text, "Stopped");
    let start = known.find("EarliestRecording").unwrap().text.clone();
    for operation in ["GetRecordingConfiguration", "GetRecordingOptions"] {
        ask(Service::Recording, operation, gate);
    }
    ask(Service::Recording, "GetTrackConfiguration", &format!("{gate}<TrackToken>video</TrackToken>"));
    ask(Service::Recording, "GetRecordingJobs", "");
    let summary = ask(Service::Search, "GetRecordingSummary", "");
    assert_eq!(summary.find("DataFrom").unwrap().text, start);
    let media = format!("<RecordingTokens>rec_gate</RecordingTokens><Time>{start}</Time>");
    let attributes = ask(Service::Search, "GetMediaAttributes", &media);
    assert_eq!(attributes.find("Encoding").unwrap().text, "H264");

    let token = |answer: Element| answer.find("SearchToken").unwrap().text.clone();
    let search = token(ask(Service::Search, "FindRecordings", find));
    let argument = format!("<SearchToken>{search}</SearchToken><MaxResults>1</MaxResults>");
    for (recording, state) in [("rec_mock", "Searching"), ("rec_gate", "Completed")] {
        let found = ask(Service::Search, "GetRecordingSearchResults", &argument);
        assert_eq!(found.find("RecordingToken").unwrap().text, recording);
        assert_eq!(found.find("SearchState").unwrap().text, state);
    }
    ask(Service::Search, "GetSearchState", &format!("<SearchToken>{search}</SearchToken>"));
    ask(Service::Search, "EndSearch", &format!("<SearchToken>{search}</SearchToken>"));
    let events = format!(
        "<StartPoint>{start}</StartPoint><Scope><tt:IncludedRecordings>rec_gate</tt:IncludedRecordings></Scope>\
         <SearchFilter/><IncludeStartState>false</IncludeStartState><KeepAliveTime>PT30S</KeepAliveTime>"
    );
    let search = token(ask(Service::Search, "FindEvents", &events));
    let found =
        ask(Service::Search, "GetEventSearchResults", &format!("<SearchToken>{search}</SearchToken>"));
    let results: Vec<_> = found.child("ResultList").unwrap().all("Result").collect();
    assert_eq!(results.len(), 4, "beginning and end of the recording and of its track");
    assert_eq!(results[0].text_at(&["Time"]), Some(start.as_str()));

    let setup = "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>\
                 </tt:Transport></StreamSetup>";
    let uri =
        ask(Service::Replay, "GetReplayUri", &format!("{setup}{gate}")).find("Uri").unwrap().text.clone();
    ask(Service::Replay, "GetReplayConfiguration", "");
    let login = "://recorder:Secret%3Apass%201@";
    assert!(frames(&uri.replace("://", login), "tcp", 50) >= 50);
    let live = uri.replace("://", login).replace("replay/gate", "live/mock");
    assert_eq!(ffprobe(&live, "udp").unwrap().width, 320);
    assert_eq!(ffprobe(&format!("{live}$$sub"), "tcp").unwrap().width, 320);

    let wrong = judge(&kept);
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (service, operation, arguments, code) in [
        (Service::Recording, "CreateRecording", "", "ter:OperationProhibited"),
        (Service::Recording, "DeleteRecording", gate, "ter:OperationProhibited"),
        (Service::Replay, "GetReplayUri", "<RecordingToken>x</RecordingToken>", "ter:NoRecording"),
        (Service::Search, "EndSearch", "<SearchToken>x</SearchToken>", "ter:InvalidToken"),
        (Service::Search, "FindMetadata", "", "ter:ActionNotSupported"),
    ] {
        let answer = soap::call(port, Login::token(USER, PASSWORD), service, operation, arguments);
        assert_eq!(subcode(&answer), code, "{operation}");
    }
    // Off, and nobody is served any more.
    site.daemon.api_ok("SetOnvifDevice", &[("enable", "false")]);
    wait_for("the RTSP server's end", PATIENCE, || ffprobe(&live, "tcp").is_err().then_some(()));
}
