//! Logging in, counted at the camera: cameras lock accounts after a few wrong passwords.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use h5edge::base::secret::Secret;
use h5edge::base::spec::Trust;
use h5edge::base::wall::Wall;
use h5edge::onvif::digest::{Asked, Authority, Hash, Verdict};
use h5edge::onvif::soap::Opened;
use h5edge::onvif::wsse::Tokens;
use h5edge::onvif::{Camera, Service, Why};

use super::fake::{Act, Fake, Seen, honest, http, not_authorized, time};

fn password(user: &str) -> Option<Secret> {
    (user == "admin").then(|| Secret::new("secret"))
}

fn now(ahead: i64) -> Wall {
    Wall::from(SystemTime::now()).plus_millis(ahead * 1000)
}

/// Whether the token in it is right by a clock that is so many seconds ahead.
fn has_token(tokens: &Tokens, seen: &Seen, ahead: i64) -> bool {
    let opened = Opened::read(seen.body.as_bytes()).unwrap();
    let security = opened.header.child("Security");
    security.is_some_and(|security| tokens.verify(security, password, now(ahead)).is_ok())
}

/// A camera for tokens, its clock so many seconds ahead and shown as if it were `shown` more.
async fn token_camera(ahead: Arc<AtomicI64>, shown: i64) -> Fake {
    let tokens = Tokens::default();
    Fake::start(move |seen| {
        let ahead = ahead.load(Ordering::Relaxed);
        if seen.asks("GetSystemDateAndTime") {
            time(ahead + shown)
        } else if seen.asks("GetServices") || has_token(&tokens, seen, ahead) {
            honest(seen)
        } else {
            not_authorized("400 Bad Request", "")
        }
    })
    .await
}

/// A camera for Digest, which has nothing open but the time.
async fn digest_camera() -> Fake {
    let authority = Authority::new("fake");
    Fake::start(move |seen| {
        if seen.asks("GetSystemDateAndTime") || digest(&authority, seen) == Verdict::User("admin".into()) {
            return honest(seen);
        }
        challenge(&authority, digest(&authority, seen) == Verdict::Stale)
    })
    .await
}

fn digest(authority: &Authority, seen: &Seen) -> Verdict {
    let asked = Asked { method: "POST", uri: &seen.path, body: seen.body.as_bytes() };
    match seen.header("Authorization") {
        Some(header) => authority.verify(header, &asked, password, now(0)),
        None => Verdict::Unusable,
    }
}

fn challenge(authority: &Authority, stale: bool) -> Act {
    let lines = [Hash::Md5, Hash::Sha256]
        .map(|hash| format!("WWW-Authenticate: {}\r\n", authority.challenge(hash, stale, now(0))));
    not_authorized("401 Unauthorized", &lines.concat())
}

async fn model(camera: &Camera) -> Result<String, Why> {
    let answer = camera.call(Service::Device, "GetDeviceInformation", "").await;
    answer.map(|answer| answer.text_at(&["Model"]).unwrap().to_owned()).map_err(|failure| failure.why)
}

#[tokio::test]
async fn a_token_by_the_cameras_own_clock() {
    for ahead in [0, 1234, -86_400 * 365 * 20] {
        let fake = token_camera(Arc::new(ahead.into()), 0).await;
        assert_eq!(model(&fake.camera()).await.as_deref(), Ok("Fake"));
        assert_eq!(fake.attempts(), 1, "the first try is right, {ahead} s ahead");
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_then_not_for_a_while() {
    for fake in [token_camera(Arc::default(), 0).await, digest_camera().await] {
        let camera = fake.camera_with("127.0.0.1", Trust::Plain, "wrong");
        let failed = camera.call(Service::Device, "GetDeviceInformation", "").await.unwrap_err();
        assert_eq!(failed.why, Why::Unauthorised);
        assert!(failed.text.contains("\"admin\"") && !failed.text.contains("wrong"), "{failed}");
        assert_eq!(fake.attempts(), 1);
        let before = fake.seen().len();
        for _ in 0..5 {
            let again = camera.call(Service::Media, "GetProfiles", "").await.unwrap_err();
            assert_eq!(again, failed);
        }
        let asked = fake.seen();
        assert_eq!(fake.attempts(), 1, "{:?}", &asked[before..]);
        // After 30 s once more, and then twice as long later.
        for (pass, attempts) in [(31, 2), (31, 2), (31, 3)] {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(pass)).await;
            tokio::time::resume();
            assert_eq!(model(&camera).await, Err(Why::Unauthorised));
            assert_eq!(fake.attempts(), attempts);
        }
    }
}

#[tokio::test]
async fn a_digest_camera_never_sees_a_token() {
    let fake = digest_camera().await;
    let camera = fake.camera();
    for _ in 0..3 {
        assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    }
    camera.call(Service::Media, "GetProfiles", "").await.unwrap();
    let seen = fake.seen();
    assert!(seen.iter().all(|seen| !seen.body.contains("UsernameToken")));
    let headers: Vec<_> = seen.iter().filter_map(|seen| seen.header("Authorization")).collect();
    assert_eq!(headers.len(), 5, "GetServices among them");
    assert!(headers.iter().all(|header| header.contains("algorithm=SHA-256")), "{headers:?}");
}

#[tokio::test]
async fn a_stale_nonce_is_no_wrong_password() {
    let (authority, asked) = (Authority::new("fake"), AtomicUsize::new(0));
    let fake = Fake::start(move |seen| match digest(&authority, seen) {
        Verdict::User(_) if asked.fetch_add(1, Ordering::Relaxed) > 0 => honest(seen),
        Verdict::User(_) => challenge(&authority, true),
        _ if seen.asks("GetSystemDateAndTime") => honest(seen),
        _ => challenge(&authority, false),
    })
    .await;
    assert_eq!(model(&fake.camera()).await.as_deref(), Ok("Fake"));
    assert_eq!(fake.attempts(), 2);
}

#[tokio::test]
async fn local_time_for_utc_costs_one_more_try() {
    let fake = token_camera(Arc::default(), 2 * 3600).await;
    let camera = fake.camera();
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    assert_eq!(fake.attempts(), 2);
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    assert_eq!(fake.attempts(), 3, "what was found out is remembered");

    let fake = token_camera(Arc::default(), 2 * 3600).await;
    let camera = fake.camera_with("127.0.0.1", Trust::Plain, "wrong");
    assert_eq!(model(&camera).await, Err(Why::Unauthorised));
    assert_eq!(fake.attempts(), 2);
}

#[tokio::test]
async fn a_clock_that_was_changed_is_measured_again() {
    let ahead = Arc::<AtomicI64>::default();
    let fake = token_camera(Arc::clone(&ahead), 0).await;
    let camera = fake.camera();
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    ahead.store(-1000, Ordering::Relaxed);
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    assert_eq!(fake.attempts(), 3);
}

#[tokio::test]
async fn a_camera_that_keeps_the_time_to_itself_has_sent_a_date() {
    let tokens = Tokens::default();
    let fake = Fake::start(move |seen| {
        let date = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5000))
            .strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n")
            .to_string();
        if has_token(&tokens, seen, 5000) { honest(seen) } else { http("401 Unauthorized", &date, "") }
    })
    .await;
    assert_eq!(model(&fake.camera()).await.as_deref(), Ok("Fake"));
    assert_eq!(fake.attempts(), 1);
}

#[tokio::test]
async fn who_does_not_ask_gets_no_password() {
    let fake = Fake::start(honest).await;
    let camera = fake.camera();
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    camera.call(Service::Media, "GetProfiles", "").await.unwrap();
    assert_eq!(fake.attempts(), 0);
}

#[tokio::test]
async fn nobody_is_told_to_give_a_name() {
    let fake = digest_camera().await;
    let address = fake.camera().address.clone();
    let camera = Camera::new(h5edge::onvif::Address { user: String::new(), ..address });
    let failed = camera.call(Service::Device, "GetDeviceInformation", "").await.unwrap_err();
    assert_eq!(failed.why, Why::Unauthorised);
    assert!(failed.text.contains("wants a user and a password"), "{failed}");
    assert_eq!(fake.attempts(), 0);
}

#[tokio::test]
async fn a_right_that_is_lacking_does_not_lock_the_rest() {
    let tokens = Tokens::default();
    let fake = Fake::start(move |seen| {
        if seen.asks("GetSystemDateAndTime") || has_token(&tokens, seen, 0) && !seen.asks("SystemReboot") {
            honest(seen)
        } else {
            not_authorized("400 Bad Request", "")
        }
    })
    .await;
    let camera = fake.camera();
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
    for _ in 0..2 {
        let failed = camera.call(Service::Device, "SystemReboot", "").await.unwrap_err();
        assert_eq!(failed.why, Why::Unauthorised);
        assert!(failed.text.contains("lacks the right"), "{failed}");
    }
    assert_eq!(fake.attempts(), 2, "the second refusal is from memory");
    assert_eq!(model(&camera).await.as_deref(), Ok("Fake"));
}
