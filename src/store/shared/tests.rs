use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::pool::PATIENCE;
use super::server::{PASSWORD, Server};
use crate::base::config::CloudServer;
use crate::base::wall::Wall;
use crate::base::{Kind, Result};
use crate::store::{SiteRow, Store, User};

struct Node {
    store: Arc<Store>,
    _dir: TempDir,
}

fn node(settings: &CloudServer) -> Node {
    let dir = tempfile::tempdir().unwrap();
    Node { store: Store::open_shared(dir.path(), settings).unwrap(), _dir: dir }
}

fn refused(settings: &CloudServer) -> (Kind, String) {
    let dir = tempfile::tempdir().unwrap();
    let error = Store::open_shared(dir.path(), settings).err().unwrap();
    (error.kind(), error.to_string())
}

fn user(name: &str) -> User {
    let (name, role) = (name.to_owned(), "administrator".to_owned());
    User { name, role, password_hash: "x".into(), default_password: false }
}

/// What each of `works` answers, all done at a time.
fn at_once<T: Send, W: FnOnce() -> T + Send>(works: impl IntoIterator<Item = W>) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = works.into_iter().map(|work| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// For `works` of several kinds.
type Work<'a> = Box<dyn FnOnce() -> Result<()> + Send + 'a>;

fn successes(results: &[Result<()>]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}

#[test]
fn nodes_that_start_together_make_the_tables_once() {
    let settings = Server::common().database();
    let nodes = at_once((0..4).map(|_| || node(&settings)));
    for node in &nodes {
        assert_eq!(node.store.roles().unwrap().len(), 3);
    }
    let first = at_once(nodes.iter().map(|node| || node.store.insert_first_user(&user("admin")).unwrap()));
    assert_eq!(first.iter().filter(|first| **first).count(), 1);
}

#[test]
fn two_nodes_at_once_keep_the_rules_that_one_keeps() {
    let settings = Server::common().database();
    let (one, two) = (node(&settings), node(&settings));
    // As many as there may be.
    let names: Vec<String> = (0..12).map(|n| format!("user{n}")).collect();
    let turns = names.iter().zip([&one, &two].into_iter().cycle());
    let added = at_once(turns.map(|(name, node)| move || node.store.insert_user(&user(name), 6)));
    assert_eq!(successes(&added), 6);
    assert!(added.iter().flat_map(|added| added.as_ref().err()).all(|error| error.kind() == Kind::Full));
    // The last administrator.
    for (name, _) in one.store.users().unwrap().into_iter().skip(2) {
        two.store.delete_user(&name).unwrap();
    }
    for _ in 0..10 {
        let left = one.store.users().unwrap();
        let (adam, eve) = (&left[0].0, &left[1].0);
        let works: [Work; 2] =
            [Box::new(|| one.store.delete_user(adam)), Box::new(|| two.store.set_user_role(eve, "viewer"))];
        let gone = at_once(works);
        assert_eq!(successes(&gone), 1, "{gone:?}");
        let _ = two.store.insert_user(&user(adam), 9);
        one.store.set_user_role(eve, "administrator").unwrap();
    }
    // A name that is taken.
    let same = at_once([&one, &two, &one, &two].map(|node| || node.store.insert_user(&user("same"), 99)));
    assert_eq!(successes(&same), 1);
    // Tokens that could be mistaken for each other.
    let site = |token: &str, key: &str| SiteRow {
        token: token.into(),
        name: String::new(),
        uuid: String::new(),
        key: key.repeat(64),
        enabled: true,
        added: Wall(0),
        seen: None,
        sources: "[]".into(),
        address: String::new(),
    };
    let works: [Work; 2] = [
        Box::new(|| one.store.insert_site(&site("x", "0"), 9)),
        Box::new(|| two.store.insert_site(&site("x-y", "1"), 9)),
    ];
    let added = at_once(works);
    assert_eq!(successes(&added), 1);
}

#[test]
fn over_tls_the_server_has_to_be_the_right_one() {
    let server = Server::common();
    let plain = server.database();
    let good = server.with_tls(&plain);
    let node = node(&good);
    assert!(node.store.insert_first_user(&user("admin")).unwrap());
    let encrypted = node
        .store
        .ask(|sql| sql.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[])?[0].flag(0));
    assert!(encrypted.unwrap());

    let mut unknown = good.clone();
    unknown.database_ca = Default::default();
    let mut misnamed = good.clone();
    misnamed.database.host = "localhost".into();
    for wrong in [unknown, misnamed] {
        let (kind, text) = refused(&wrong);
        assert_eq!(kind, Kind::Internal);
        assert!(
            text.starts_with("the shared database cannot be reached: invalid peer certificate"),
            "{text}"
        );
    }
    let mut no_pem = good.clone();
    let file = tempfile::NamedTempFile::new().unwrap();
    no_pem.database_ca = file.path().to_owned();
    let (kind, text) = refused(&no_pem);
    assert_eq!(kind, Kind::BadInput);
    assert!(
        text.starts_with("cloud.server.database_ca: ") && text.ends_with("no certificate in it"),
        "{text}"
    );
}

#[test]
fn a_wrong_password_is_said_and_not_shown() {
    let mut settings = Server::common().database();
    settings.database.password = crate::base::secret::Secret::new("hunter2");
    let (_, text) = refused(&settings);
    assert!(text.contains("password authentication failed"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains(PASSWORD), "{text}");
}

#[test]
fn tables_from_the_future_are_left_alone() {
    let server = Server::common();
    let settings = server.database();
    drop(node(&settings));
    server.admin(&settings.database.name, "UPDATE h5edge_version SET version = 99");
    let (kind, text) = refused(&settings);
    assert_eq!(kind, Kind::Unsupported);
    assert!(text.starts_with("the shared database: the database is of version 99"), "{text}");
}

#[test]
fn a_server_that_was_away_is_used_again() {
    let server = Server::start_new();
    let settings = server.with_tls(&server.database());
    let node = node(&settings);
    let store = &node.store;
    assert!(store.insert_first_user(&user("admin")).unwrap());
    for round in 0..3 {
        server.stop();
        for away in [store.has_users().map(drop), store.insert_user(&user("eve"), 9)] {
            let error = away.unwrap_err();
            assert_eq!(error.kind(), Kind::Internal);
            assert!(error.to_string().starts_with("the shared database cannot be reached: "), "{error}");
        }
        server.start();
        store.insert_user(&user(&format!("user{round}")), 9).unwrap();
        assert_eq!(store.users().unwrap().len(), round + 2);
    }
    // Restarted while nobody asks.
    server.stop();
    server.start();
    assert!(store.has_users().unwrap());
}

#[test]
fn what_reads_is_done_again_after_a_lost_connection() {
    let server = Server::common();
    let settings = server.database();
    let node = node(&settings);
    let cut = format!(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
         WHERE datname = '{}' AND pid <> pg_backend_pid()",
        settings.database.name
    );
    for _ in 0..10 {
        let tries = std::cell::Cell::new(0);
        let found = node.store.ask(|sql| {
            tries.set(tries.get() + 1);
            if tries.get() == 1 {
                server.admin(&settings.database.name, &cut);
            }
            sql.first("SELECT token FROM roles", &[])
        });
        assert!(found.unwrap().is_some());
        assert_eq!(tries.get(), 2);
    }
    // A change is not, and leaves nothing behind.
    let lost = node.store.change(|sql| {
        sql.execute("INSERT INTO users VALUES ('eve', 'viewer', 'x', false)", &[])?;
        server.admin(&settings.database.name, &cut);
        sql.execute("DELETE FROM users", &[])
    });
    assert!(lost.unwrap_err().to_string().starts_with("the shared database cannot be reached"));
    assert!(!node.store.has_users().unwrap());
}

#[test]
fn a_panic_in_a_change_leaves_nothing_behind() {
    let settings = Server::common().database();
    let node = node(&settings);
    let panicked = thread::scope(|scope| {
        let half = || {
            let _ = node.store.change(|sql| -> Result<()> {
                sql.execute("INSERT INTO users VALUES ('eve', 'viewer', 'x', false)", &[])?;
                panic!("on purpose");
            });
        };
        scope.spawn(half).join()
    });
    assert!(panicked.is_err());
    assert!(!node.store.has_users().unwrap());
    assert!(node.store.insert_first_user(&user("admin")).unwrap());
}

#[test]
fn a_change_that_another_one_holds_up_fails_in_time() {
    let server = Server::common();
    let settings = server.database();
    let (one, two) = (node(&settings), node(&settings));
    one.store
        .change(|_| {
            let began = Instant::now();
            let error = two.store.insert_user(&user("eve"), 9).unwrap_err();
            assert_eq!(error.kind(), Kind::Timeout, "{error}");
            assert!(began.elapsed() < PATIENCE + Duration::from_secs(2));
            // Who only reads does not wait.
            assert!(!two.store.has_users().unwrap());
            Ok(())
        })
        .unwrap();
    two.store.insert_user(&user("eve"), 9).unwrap();
}

#[test]
fn a_server_that_does_not_answer_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = Server::common().database();
    settings.database.port = silent.local_addr().unwrap().port();
    let began = Instant::now();
    let (kind, text) = refused(&settings);
    assert_eq!(
        (kind, text.as_str()),
        (Kind::Timeout, "the shared database cannot be reached: no answer in time")
    );
    assert!(began.elapsed() < PATIENCE + Duration::from_secs(2));
}

#[tokio::test]
async fn it_can_be_asked_on_a_thread_of_tokio() {
    let node = tokio::task::spawn_blocking(|| node(&Server::common().database())).await.unwrap();
    // More often than a task may do something before it has to give way.
    for _ in 0..300 {
        assert!(!node.store.has_users().unwrap());
    }
    assert!(node.store.run(|store| store.insert_first_user(&user("admin"))).await.unwrap());
}

#[test]
fn more_threads_than_connections_take_turns() {
    let settings = Server::common().database();
    let node = node(&settings);
    let roles = || (0..20).map(|_| node.store.roles().unwrap().len()).sum::<usize>();
    assert_eq!(at_once([roles; 12]), [60_usize; 12]);
    let open = node.store.ask(|sql| {
        sql.query("SELECT pid::BIGINT FROM pg_stat_activity WHERE datname = current_database()", &[])
    });
    assert!((1..=super::pool::CONNECTIONS).contains(&open.unwrap().len()));
}
