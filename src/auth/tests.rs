use std::time::SystemTime;

use super::*;
use crate::base::Kind;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const DEFAULT_MD5: &str = "827ccb0eea8a706c4c34a16891f84e7b";

struct Bench {
    auth: Arc<Auth>,
    clock: Clock,
    dir: tempfile::TempDir,
}

fn open_in(dir: &std::path::Path, clock: &Clock, edit: impl FnOnce(&mut config::Auth)) -> Arc<Auth> {
    let mut settings = config::Auth::default();
    edit(&mut settings);
    Auth::open(Store::open(dir).unwrap(), clock.clone(), (&settings).into()).unwrap()
}

fn bench(edit: impl FnOnce(&mut config::Auth)) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::simulated(SystemTime::UNIX_EPOCH);
    Bench { auth: open_in(dir.path(), &clock, edit), clock, dir }
}

impl Bench {
    async fn admin(&self) -> Session {
        self.login("12345").await.map_err(|failure| failure.error).unwrap()
    }

    async fn login(&self, password: &str) -> std::result::Result<Session, LoginFailure> {
        self.auth.login("admin", password, PEER).await
    }

    /// Adds a user, which no call of this issue can do.
    fn add(&self, name: &str, role: Role, password: &str) {
        let hash = password::hash(&password::checked_new(password).unwrap()).unwrap();
        rusqlite::Connection::open(self.dir.path().join("h5edge.db"))
            .unwrap()
            .execute("INSERT INTO users VALUES (?1, ?2, ?3, 0)", [name, role.as_str(), &hash])
            .unwrap();
    }
}

fn kind<T>(result: Result<T>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_fresh_device_knows_admin_and_says_that_the_password_is_the_default() {
    let bench = bench(|_| {});
    for password in ["12345", DEFAULT_MD5] {
        let session = bench.login(password).await.map_err(|failure| failure.error).unwrap();
        assert_eq!((session.user.as_str(), session.role), ("admin", Role::Administrator));
        assert!(session.default_password && !session.must_change_password);
        assert_eq!(uuid::Uuid::parse_str(&session.id).unwrap().get_version_num(), 4);
        assert!(bench.auth.session(&session.id).unwrap() == session);
    }
}

#[tokio::test]
async fn wrong_user_and_wrong_password_read_the_same() {
    let bench = bench(|_| {});
    let wrong = bench.login("nope").await.err().unwrap();
    let unknown = bench.auth.login("nobody", "12345", PEER).await.err().unwrap();
    assert_eq!(wrong.error.kind(), Kind::Unauthorised);
    assert_eq!(wrong.error.to_string(), unknown.error.to_string());
    assert_eq!((wrong.faults, unknown.faults), (1, 1));
    let long = "x".repeat(257);
    let error = bench.login(&long).await.err().unwrap().error;
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::BadInput, "password: longer than 256 bytes")
    );
}

#[tokio::test]
async fn guessing_is_locked_with_the_time_left_and_the_right_password_waits_too() {
    let bench = bench(|auth| auth.login_attempts = 3);
    for faults in 1..=3 {
        let failure = bench.login("guess").await.err().unwrap();
        assert_eq!(failure.faults, faults);
        assert_eq!(failure.locked_for.is_some(), faults == 3);
    }
    bench.clock.advance(Duration::from_secs(20));
    let failure = bench.login("12345").await.err().unwrap();
    assert_eq!(failure.error.kind(), Kind::Refused);
    assert_eq!(failure.error.to_string(), "too many wrong passwords, try again in 40 s");
    assert_eq!((failure.faults, failure.locked_for), (3, Some(Duration::from_secs(40))));
    let elsewhere = IpAddr::from([192, 0, 2, 8]);
    assert!(bench.auth.login("admin", "12345", elsewhere).await.is_ok());
    bench.clock.advance(Duration::from_secs(40));
    assert!(bench.login("12345").await.is_ok());
}

#[tokio::test]
async fn tries_at_once_count_before_the_first_is_checked() {
    let bench = bench(|auth| auth.login_attempts = 3);
    let tries = futures_util::future::join_all((0..8).map(|_| bench.login("guess"))).await;
    let heard = tries.iter().filter(|t| t.as_ref().is_err_and(|f| f.error.kind() == Kind::Unauthorised));
    assert_eq!(heard.count(), 3);
}

#[tokio::test]
async fn a_client_that_hangs_up_has_tried_all_the_same() {
    let bench = bench(|auth| auth.login_attempts = 2);
    for _ in 0..2 {
        // One poll starts the check; dropping the future is what a closed connection does.
        let mut login = Box::pin(bench.login("guess"));
        assert!(futures_util::poll!(&mut login).is_pending());
    }
    assert_eq!(bench.login("12345").await.err().unwrap().error.kind(), Kind::Refused);
}

#[tokio::test]
async fn sessions_end_by_logout_and_by_time() {
    let bench = bench(|_| {});
    let (out, idle) = (bench.admin().await, bench.admin().await);
    bench.auth.logout(&out.id).unwrap();
    assert_eq!(kind(bench.auth.session(&out.id)), Some(Kind::Unauthorised));
    assert_eq!(kind(bench.auth.logout(&out.id)), Some(Kind::Unauthorised));
    bench.clock.advance(Duration::from_secs(599));
    assert!(bench.auth.session(&idle.id).is_ok());
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(kind(bench.auth.session(&idle.id)), Some(Kind::Unauthorised));
    assert_eq!(kind(bench.auth.session("undefined")), Some(Kind::Unauthorised));
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_outlives_a_restart() {
    let bench = bench(|auth| auth.require_password_change = true);
    let (mine, other) = (bench.admin().await, bench.admin().await);
    assert!(mine.must_change_password);
    bench.auth.change_password(&mine, "admin", DEFAULT_MD5, "a better one").await.unwrap();
    let mine = bench.auth.session(&mine.id).unwrap();
    assert!(!mine.default_password && !mine.must_change_password);
    assert_eq!(kind(bench.auth.session(&other.id)), Some(Kind::Unauthorised));

    let auth = open_in(bench.dir.path(), &bench.clock, |_| {});
    assert!(auth.login("admin", "12345", PEER).await.is_err());
    let session = auth.login("admin", "a better one", PEER).await.map_err(|f| f.error).unwrap();
    assert!(!session.default_password);
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let bench = bench(|auth| auth.login_attempts = 3);
    bench.add("viewer", Role::Viewer, "looking");
    let admin = bench.admin().await;
    let viewer = bench.auth.login("viewer", "looking", PEER).await.map_err(|f| f.error).unwrap();
    let change = |session, user, old, new| bench.auth.change_password(session, user, old, new);
    assert_eq!(kind(change(&admin, "admin", "12345", "12345").await), Some(Kind::BadInput));
    assert_eq!(kind(change(&admin, "admin", "12345", "").await), Some(Kind::BadInput));
    assert_eq!(kind(change(&viewer, "admin", "12345", "mine now").await), Some(Kind::Unauthorised));
    assert_eq!(kind(change(&admin, "viewer", "12345", "new one").await), Some(Kind::Unauthorised));
    assert!(bench.login("12345").await.is_ok());
    change(&admin, "viewer", "looking", "new one").await.unwrap();
    assert_eq!(kind(bench.auth.session(&viewer.id)), Some(Kind::Unauthorised));
    for _ in 0..3 {
        assert_eq!(kind(change(&admin, "viewer", "guess", "x").await), Some(Kind::Unauthorised));
    }
    assert_eq!(kind(change(&admin, "viewer", "new one", "x").await), Some(Kind::Refused));
}

#[tokio::test]
async fn who_is_turned_away_for_lack_of_room_has_not_tried() {
    let bench = bench(|auth| auth.login_attempts = 1);
    let crowd = bench.auth.waiting.try_acquire_many(MAX_WAITING as u32).unwrap();
    for _ in 0..3 {
        assert_eq!(bench.login("12345").await.err().unwrap().error.kind(), Kind::Full);
    }
    drop(crowd);
    assert!(bench.login("12345").await.is_ok());
}

#[tokio::test]
async fn a_login_that_a_password_change_overtook_gets_no_session() {
    let bench = bench(|_| {});
    let checked = bench.auth.store.user("admin").unwrap().unwrap();
    let (late, mine) = (bench.admin().await, bench.admin().await);
    bench.auth.end_if_changed(&late, checked.clone()).await.unwrap();
    bench.auth.store.set_password_hash("admin", &password::hash("other").unwrap()).unwrap();
    let ended = bench.auth.end_if_changed(&late, checked).await;
    assert_eq!(kind(ended), Some(Kind::Unauthorised));
    assert_eq!(kind(bench.auth.session(&late.id)), Some(Kind::Unauthorised));
    assert!(bench.auth.session(&mine.id).is_ok());
}
