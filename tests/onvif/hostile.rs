//! What is no camera, or a bad one: each gets a clear reason, in bounded time and memory, and never a
//! password that is not its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use h5edge::base::spec::Trust;
use h5edge::onvif::{Failure, Service, Why};

use super::fake::{Act, Fake, Seen, envelope, honest, http, says, services};

/// What a camera says to the first question that we have.
async fn device_information(act: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Failure {
    let fake = Fake::start(act).await;
    let failed = fake.camera().call(Service::Device, "GetDeviceInformation", "").await.unwrap_err();
    assert_eq!(fake.attempts(), 0, "no stranger gets a password: {failed}");
    assert!(failed.text.contains(&format!("127.0.0.1:{}", fake.port)), "{failed}");
    failed
}

/// As [`device_information`], of a camera that tells the time as an honest one does.
async fn after_the_greeting(act: impl Fn() -> Act + Send + Sync + 'static) -> Failure {
    let greeted = move |seen: &Seen| if seen.asks("GetSystemDateAndTime") { honest(seen) } else { act() };
    let fake = Fake::start(greeted).await;
    let camera = fake.camera_with("127.0.0.1", Trust::Plain, "");
    camera.call(Service::Device, "GetDeviceInformation", "").await.unwrap_err()
}

fn is(failure: &Failure, why: Why, text: &str) {
    assert!(failure.why == why && failure.text.contains(text), "{failure:?} is not {why:?} with {text:?}");
}

#[tokio::test]
async fn what_is_no_onvif_is_named() {
    let html = "<html><body>Welcome</body></html>";
    is(
        &device_information(move |_| http("200 OK", "", html)).await,
        Why::NotOnvif,
        "the document is a <html>",
    );
    is(&device_information(|_| http("200 OK", "", "")).await, Why::NotOnvif, "nothing at all");
    is(&device_information(|_| http("200 OK", "", "\u{1}}{ garbage <")).await, Why::NotOnvif, "no XML");
    is(&device_information(|_| http("404 Not Found", "", html)).await, Why::NotOnvif, "404");
    is(&device_information(|_| http("500 Oops", "", "")).await, Why::NotOnvif, "500");
    is(
        &device_information(|_| Act::AnswerAndClose(b"SSH-2.0-x\r\n".into())).await,
        Why::NotOnvif,
        "speak HTTP",
    );
}

#[tokio::test]
async fn documents_that_mean_harm_are_refused() {
    let doctype = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>";
    is(&after_the_greeting(move || http("200 OK", "", doctype)).await, Why::NotOnvif, "document type");
    let deep = envelope(&"<a>".repeat(5000));
    is(&after_the_greeting(move || http("200 OK", "", &deep)).await, Why::NotOnvif, "nested deeper");
    let many = envelope(&"<a/>".repeat(60_000));
    is(&after_the_greeting(move || http("200 OK", "", &many)).await, Why::NotOnvif, "elements");
    let cut = envelope("<GetDeviceInformationResponse><Model>");
    is(
        &after_the_greeting(move || http("200 OK", "", &cut[..cut.len() - 40])).await,
        Why::NotOnvif,
        "no XML",
    );
}

#[tokio::test]
async fn ten_megabytes_are_not_read_to_their_end() {
    let long = "<a/>".repeat(10 << 18);
    let sized = long.clone();
    is(
        &after_the_greeting(move || http("200 OK", "", &sized)).await,
        Why::NotOnvif,
        "more than 1048576 bytes",
    );
    let chunk = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}", long.len());
    let chunked = after_the_greeting(move || Act::Answer(chunk.clone().into_bytes())).await;
    is(&chunked, Why::NotOnvif, "more than 1048576 bytes");
}

#[tokio::test]
async fn a_slow_answer_ends_with_the_deadline() {
    let started = Instant::now();
    let slow = |seen: &Seen| match honest(seen) {
        Act::Answer(bytes) => Act::Trickle(bytes, Duration::from_millis(100)),
        other => other,
    };
    is(&device_information(slow).await, Why::Unreachable, "within 8 s");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_call_that_was_given_up_does_not_answer_the_next() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = Arc::clone(&slow);
    let fake = Fake::start(move |seen| match honest(seen) {
        Act::Answer(bytes) if is_slow.load(Ordering::Relaxed) => {
            Act::Trickle(bytes, Duration::from_millis(20))
        }
        other => other,
    })
    .await;
    let camera = fake.camera();
    camera.call(Service::Device, "GetDeviceInformation", "").await.unwrap();
    slow.store(true, Ordering::Relaxed);
    let call = camera.call(Service::Device, "GetDeviceInformation", "");
    tokio::time::timeout(Duration::from_millis(300), call).await.unwrap_err();
    slow.store(false, Ordering::Relaxed);
    let profiles = camera.call(Service::Media, "GetProfiles", "").await.unwrap();
    assert_eq!(profiles.name, "GetProfilesResponse");
}

#[tokio::test]
async fn gone_in_the_middle() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<s:Envelope".to_vec();
    let failed = after_the_greeting(move || Act::AnswerAndClose(cut.clone())).await;
    is(&failed, Why::Unreachable, "closed the connection");
    // Never there: the port of a camera that is no more.
    let gone = Fake::start(honest).await;
    let camera = gone.camera();
    drop(gone);
    let failed = camera.call(Service::Device, "GetDeviceInformation", "").await.unwrap_err();
    is(&failed, Why::Unreachable, "cannot connect to 127.0.0.1:");
}

#[tokio::test]
async fn credentials_stay_at_home() {
    let foreign = Fake::at("127.0.0.2", None, honest).await;
    let base = format!("http://127.0.0.2:{}", foreign.port);
    let fake = Fake::start(move |seen| match seen {
        _ if seen.asks("GetServices") => services(&base),
        _ if seen.asks("GetProfiles") && !seen.has_credentials() => http("401 No", "", ""),
        _ => honest(seen),
    })
    .await;
    let camera = fake.camera();
    let answer = camera.call(Service::Media, "GetProfiles", "").await.unwrap();
    assert_eq!(answer.child("Profiles").unwrap().attribute("token"), Some("p 1"));
    let subscription = format!("http://127.0.0.2:{}/sub?id=7", foreign.port);
    let _ = camera.call_at(&subscription, "", Service::Events, "PullMessages", "").await;
    let paths: Vec<_> = fake.seen().into_iter().map(|seen| seen.path).collect();
    assert!(paths.contains(&"/onvif/media?a=b".into()) && paths.contains(&"/sub?id=7".into()), "{paths:?}");
    assert!(fake.attempts() > 0);
    assert!(foreign.seen().is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let foreign = Fake::at("127.0.0.2", None, honest).await;
    let elsewhere = format!("Location: http://127.0.0.2:{}/\r\n", foreign.port);
    let failed = device_information(move |_| http("307 Temporary Redirect", &elsewhere, "")).await;
    is(&failed, Why::NotOnvif, "redirects to another address");
    assert!(foreign.seen().is_empty());
    let secured = "Location: HTTPS://127.0.0.1/onvif/device_service\r\n";
    let failed = device_information(move |_| http("301 Moved", secured, "")).await;
    is(&failed, Why::Tls, "set https=true");
}

#[tokio::test]
async fn refusals_are_told_from_what_is_missing() {
    let fault =
        |text: &str| says(&format!("<s:Fault><s:Reason><s:Text>{text}</s:Text></s:Reason></s:Fault>"));
    is(&after_the_greeting(move || fault("Lens cap on")).await, Why::Refused, "refuses: Lens cap on");
    is(&after_the_greeting(move || fault("Not implemented: x")).await, Why::Unsupported, "Not implemented");
    let fake = Fake::start(honest).await;
    let camera = fake.camera();
    assert!(camera.has(Service::Ptz).await.unwrap(), "the camera has its version wrong, which is borne");
    assert!(!camera.has(Service::Events).await.unwrap());
    let failed = camera.call(Service::Events, "GetEventProperties", "").await.unwrap_err();
    is(&failed, Why::Unsupported, "has no events service");
}
