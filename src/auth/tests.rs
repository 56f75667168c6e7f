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
    let mut settings = config::Auth { initial_password: Secret::new("12345"), ..config::Auth::default() };
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
}

fn kind<T>(result: Result<T>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}

#[tokio::test]
async fn with_a_password_of_delivery_a_fresh_device_knows_admin_and_says_so() {
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
    bench.auth.create_user("viewer", "looking around", "viewer").await.unwrap();
    let admin = bench.admin().await;
    let viewer = bench.auth.login("viewer", "looking around", PEER).await.map_err(|f| f.error).unwrap();
    let change = |session, user, old, new| bench.auth.change_password(session, user, old, new);
    assert_eq!(kind(change(&admin, "admin", "12345", "12345").await), Some(Kind::BadInput));
    assert_eq!(kind(change(&admin, "admin", "12345", "").await), Some(Kind::BadInput));
    assert_eq!(kind(change(&viewer, "admin", "12345", "mine now").await), Some(Kind::Unauthorised));
    assert_eq!(kind(change(&admin, "viewer", "12345", "new one").await), Some(Kind::Unauthorised));
    assert!(bench.login("12345").await.is_ok());
    change(&admin, "viewer", "looking around", "new one").await.unwrap();
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

fn fresh() -> Bench {
    bench(|auth| auth.initial_password = Secret::default())
}

#[tokio::test]
async fn without_a_password_of_delivery_nobody_logs_in_until_one_is_set() {
    let bench = fresh();
    for password in ["12345", DEFAULT_MD5, "admin", ""].repeat(5) {
        let failure = bench.login(password).await.err().unwrap();
        assert!(failure.setup_required, "{password}");
        assert_eq!((failure.error.kind(), failure.faults, failure.locked_for), (Kind::Refused, 0, None));
    }
    assert_eq!(bench.auth.setup(), Setup { required: true, left: Duration::from_secs(3600) });
    for poor in ["short", "12345678", DEFAULT_MD5] {
        assert_eq!(kind(bench.auth.claim(poor).await), Some(Kind::BadInput), "{poor}");
    }
    assert!(bench.auth.setup().required);
    bench.auth.claim("correct horse").await.unwrap();
    assert_eq!(bench.auth.setup(), Setup { required: false, left: Duration::ZERO });
    let session = bench.login("correct horse").await.map_err(|failure| failure.error).unwrap();
    assert!(session.role == Role::Administrator && !session.default_password);
    let failure = bench.login("12345").await.err().unwrap();
    assert!(!failure.setup_required && failure.faults == 1);
    assert_eq!(kind(bench.auth.claim("another horse").await), Some(Kind::Refused));

    let again = open_in(bench.dir.path(), &bench.clock, |_| {});
    assert!(!again.setup().required, "the password outlives a restart, and that of delivery comes too late");
    assert!(again.login("admin", "12345", PEER).await.is_err());
    assert!(again.login("admin", "correct horse", PEER).await.is_ok());
}

#[tokio::test]
async fn of_many_who_set_it_up_at_once_one_does() {
    let bench = fresh();
    // Two daemons on one database: what decides is the database, not the flag.
    let twin = open_in(bench.dir.path(), &bench.clock, |auth| auth.initial_password = Secret::default());
    let passwords: Vec<_> = (0..8).map(|n| format!("correct horse {n}")).collect();
    let claims = passwords.iter().enumerate().map(|(n, password)| match n % 2 {
        0 => bench.auth.claim(password),
        _ => twin.claim(password),
    });
    let outcomes = futures_util::future::join_all(claims).await;
    let winners: Vec<_> = outcomes.iter().zip(&passwords).filter(|(outcome, _)| outcome.is_ok()).collect();
    assert_eq!(winners.len(), 1);
    for (outcome, password) in outcomes.iter().zip(&passwords) {
        assert!(outcome.as_ref().err().is_none_or(|error| error.kind() == Kind::Refused));
        let heard = bench.auth.login("admin", password, IpAddr::from([192, 0, 2, 99])).await.is_ok();
        assert_eq!(heard, outcome.is_ok(), "{password}");
    }
}

#[tokio::test]
async fn after_its_time_it_is_not_set_up_any_more() {
    let bench = bench(|auth| {
        auth.initial_password = Secret::default();
        auth.setup_window_seconds = 60;
    });
    bench.clock.advance(Duration::from_secs(59));
    assert!(bench.auth.may_be_claimed().is_ok());
    bench.clock.advance(Duration::from_secs(1));
    let error = bench.auth.claim("correct horse").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("switch it off and on"), "{error}");
    assert_eq!(bench.auth.setup(), Setup { required: true, left: Duration::ZERO });
    assert!(bench.login("correct horse").await.err().unwrap().setup_required);
}

#[tokio::test]
async fn the_password_of_delivery_is_not_taken_back() {
    let bench = bench(|auth| auth.initial_password = Secret::new("delivered 1"));
    // Known by its hash too, where the configuration has meanwhile lost it.
    let later = open_in(bench.dir.path(), &bench.clock, |auth| auth.initial_password = Secret::default());
    for auth in [&bench.auth, &later] {
        let session =
            auth.login("admin", "delivered 1", PEER).await.map_err(|failure| failure.error).unwrap();
        assert!(session.default_password);
        let same = auth.change_password(&session, "admin", "delivered 1", "delivered 1").await;
        assert_eq!(kind(same), Some(Kind::BadInput));
    }
}

#[tokio::test]
async fn what_another_node_changed_holds_once_it_is_read() {
    let bench = bench(|_| {});
    let other = open_in(bench.dir.path(), &bench.clock, |_| {});
    bench.auth.create_user("eve", "a long passphrase", "operator").await.unwrap();
    let login = || other.login("eve", "a long passphrase", PEER);
    assert!(login().await.is_err());
    other.reread().await.unwrap();
    let session = login().await.map_err(|failure| failure.error).unwrap();
    assert_eq!(session.role, Role::Operator);
    bench.auth.set_user_role("eve", "viewer").await.unwrap();
    other.reread().await.unwrap();
    assert_eq!(other.session(&session.id).unwrap().role, Role::Viewer);
    other.end_sessions_here("eve", "");
    assert_eq!(kind(other.session(&session.id)), Some(Kind::Unauthorised));
}

#[tokio::test]
async fn a_node_is_set_up_when_another_one_is() {
    let none = |settings: &mut config::Auth| settings.initial_password = Secret::default();
    let bench = bench(none);
    let other = open_in(bench.dir.path(), &bench.clock, none);
    bench.auth.claim("a long passphrase").await.unwrap();
    assert!(other.setup().required);
    other.reread().await.unwrap();
    assert!(!other.setup().required);
}

#[test]
fn of_nodes_that_start_together_each_knows_of_the_first_user() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::simulated(SystemTime::UNIX_EPOCH);
    let stores = [Store::open(dir.path()).unwrap(), Store::open(dir.path()).unwrap()];
    let settings = config::Auth { initial_password: Secret::new("12345"), ..config::Auth::default() };
    let start = |store: &Arc<Store>| Auth::open(store.clone(), clock.clone(), (&settings).into()).unwrap();
    std::thread::scope(|scope| {
        let nodes = stores.each_ref().map(|store| scope.spawn(|| start(store)));
        for node in nodes {
            assert!(!node.join().unwrap().setup().required);
        }
    });
}
