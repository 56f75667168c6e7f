//! The connection to a camera: kept warm, opened again, and secured by a pin.

use h5edge::base::spec::Trust;
use h5edge::onvif::{Camera, Failure, Service, Why};

use super::fake::{Act, Fake, acceptor, honest, http};

async fn ask(camera: &Camera) -> Result<(), Failure> {
    camera.call(Service::Device, "GetDeviceInformation", "").await.map(drop)
}

fn connections(fake: &Fake) -> usize {
    fake.seen().iter().map(|seen| seen.connection + 1).max().unwrap_or_default()
}

#[tokio::test]
async fn one_connection_for_many_calls() {
    let fake = Fake::start(honest).await;
    let camera = fake.camera();
    let calls: Vec<_> = (0..10).map(|_| ask(&camera)).collect();
    for done in futures_util::future::join_all(calls).await {
        done.unwrap();
    }
    assert_eq!((connections(&fake), fake.seen().len()), (1, 11));
}

#[tokio::test]
async fn cameras_that_close_after_each_answer_with_and_without_a_word() {
    let silent = Fake::start(|seen| match honest(seen) {
        Act::Answer(bytes) => Act::AnswerAndClose(bytes),
        other => other,
    })
    .await;
    let polite = Fake::start(|seen| match honest(seen) {
        Act::Answer(bytes) => {
            let text = String::from_utf8(bytes).unwrap();
            Act::AnswerAndClose(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).into_bytes())
        }
        other => other,
    })
    .await;
    for fake in [silent, polite] {
        let camera = fake.camera();
        for _ in 0..5 {
            ask(&camera).await.unwrap();
        }
        assert_eq!((connections(&fake), fake.seen().len()), (6, 6), "no question was asked twice");
    }
}

#[tokio::test]
async fn answers_of_old_servers_are_read() {
    let fake = Fake::start(|seen| match honest(seen) {
        Act::Answer(bytes) => {
            let text = String::from_utf8(bytes).unwrap();
            let body = text.split_once("\r\n\r\n").unwrap().1;
            // No length, no reason, a space where none may be.
            Act::AnswerAndClose(format!("HTTP/1.0 200\r\nServer : old\r\n\r\n{body}").into_bytes())
        }
        other => other,
    })
    .await;
    ask(&fake.camera()).await.unwrap();
}

#[tokio::test]
async fn names_and_ipv6() {
    let fake = Fake::start(honest).await;
    ask(&fake.camera_with("localhost", Trust::Plain, "x")).await.unwrap();
    let six = Fake::at("::1", None, honest).await;
    ask(&six.camera_with("::1", Trust::Plain, "x")).await.unwrap();
    assert_eq!(six.seen()[0].header("Host"), Some(format!("[::1]:{}", six.port).as_str()));
}

#[tokio::test]
async fn a_device_service_at_another_path_is_found() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/onvif/service" => honest(seen),
        _ => http("404 Not Found", "Content-Type: text/html\r\n", "<html>no</html>"),
    })
    .await;
    ask(&fake.camera()).await.unwrap();
    assert_eq!(fake.attempts(), 0);
}

#[tokio::test]
async fn the_first_certificate_is_pinned_and_no_other_is_taken() {
    let (fake, other) = (
        Fake::at("127.0.0.1", Some(acceptor()), honest).await,
        Fake::at("127.0.0.1", Some(acceptor()), honest).await,
    );
    let camera = fake.camera_with("127.0.0.1", Trust::FirstUse, "x");
    assert_eq!(camera.pin(), None);
    ask(&camera).await.unwrap();
    let pin = camera.pin().unwrap();
    assert!(pin.len() == 64 && pin.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{pin}");

    let pinned = fake.camera_with("127.0.0.1", Trust::Pinned(pin.clone()), "x");
    ask(&pinned).await.unwrap();
    assert_eq!(pinned.pin(), Some(pin.clone()));
    let wrong = other.camera_with("127.0.0.1", Trust::Pinned(pin), "x");
    let failed = ask(&wrong).await.unwrap_err();
    assert_eq!(failed.why, Why::Tls);
    assert!(failed.text.contains("not the pinned one"), "{failed}");
    assert!(other.seen().is_empty(), "nothing was said to the stranger");
    ask(&other.camera_with("localhost", Trust::Any, "x")).await.unwrap();
}

#[tokio::test]
async fn plain_and_secured_do_not_understand_each_other() {
    let (plain, secured) = (Fake::start(honest).await, Fake::at("127.0.0.1", Some(acceptor()), honest).await);
    let failed = ask(&secured.camera()).await.unwrap_err();
    assert!(matches!(failed.why, Why::NotOnvif | Why::Unreachable), "{failed:?}");
    let mute = Fake::start(|_| http("400 Bad Request", "", "")).await;
    for fake in [plain, mute] {
        let camera = fake.camera_with("127.0.0.1", Trust::FirstUse, "x");
        let refused = tokio::time::timeout(std::time::Duration::from_secs(20), ask(&camera)).await.unwrap();
        assert!(matches!(refused.unwrap_err().why, Why::Tls | Why::Unreachable));
        assert_eq!(camera.pin(), None);
    }
}
