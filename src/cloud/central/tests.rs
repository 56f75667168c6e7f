use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::base::Kind;
use crate::base::secret::Secret;
use crate::cloud::key::{DeviceKey, code_hash};
use crate::cloud::tunnel::{Arrivals, socket_config};

struct Yard {
    central: Arc<Central>,
    /// Its data, and a place for each edge's key.
    dir: TempDir,
}

type Socket = WebSocketStream<DuplexStream>;

impl Yard {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { max_sites: 10, ring_bytes: 1 << 20 };
        let store = Store::open(dir.path()).unwrap();
        Self { central: Central::open(settings, store, Clock::real()).unwrap(), dir }
    }

    /// The key of an edge, always the same.
    fn key(&self, edge: &str) -> DeviceKey {
        let place = self.dir.path().join(edge);
        std::fs::create_dir_all(&place).unwrap();
        DeviceKey::open(&place).unwrap()
    }

    async fn prepare(&self, token: &str, edge: &str) {
        self.central.prepare(token, "", &self.key(edge).public()).await.unwrap();
    }

    /// A connection, and what the central asks on it.
    async fn dial(&self) -> (Socket, String) {
        let (near, far) = duplex(64 << 10);
        let central = self.central.clone();
        tokio::spawn(async move {
            let socket = WebSocketStream::from_raw_socket(near, Role::Server, Some(socket_config())).await;
            let login = async |user: String, password: String| match password == "right" {
                true => Ok(()),
                false => Err(Error::unauthorised(format!("{user} is not let in"))),
            };
            central.accept(socket, IpAddr::from([192, 0, 2, 1]), login, || {}).await;
        });
        let mut socket = WebSocketStream::from_raw_socket(far, Role::Client, Some(socket_config())).await;
        let Challenge { challenge, .. } = hear(&mut socket, PATIENCE).await.unwrap();
        (socket, challenge)
    }

    /// A connection on which an edge has said who it is.
    async fn greet(&self, edge: &str, token: &str, change: impl FnOnce(Hello) -> Hello) -> Socket {
        let (mut socket, challenge) = self.dial().await;
        say(&mut socket, &change(Hello::new(&self.key(edge), &challenge, token))).await.unwrap();
        socket
    }

    async fn verdict(&self, edge: &str, token: &str) -> Verdict {
        hear(&mut self.greet(edge, token, |hello| hello).await, PATIENCE).await.unwrap()
    }

    /// An edge that is in, with the streams that it gets.
    async fn come(&self, edge: &str, token: &str) -> (Tunnel, Arrivals) {
        let mut socket = self.greet(edge, token, |hello| hello).await;
        welcome(&mut socket, token).await;
        let number = self.central.lock().links;
        let tunnel = Tunnel::start(socket, Side::Edge { keepalive: Duration::from_secs(3) });
        self.until(|central| central.lock().links > number || central.site(token).unwrap().link.is_some())
            .await;
        tunnel
    }

    async fn until(&self, condition: impl Fn(&Central) -> bool) {
        let all = async {
            while !condition(&self.central) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    }
}

async fn welcome(socket: &mut Socket, token: &str) {
    match hear(socket, PATIENCE).await.unwrap() {
        Verdict::Welcome { token: given, .. } => assert_eq!(given, token),
        other => panic!("{other:?}"),
    }
}

fn refusal(verdict: Verdict) -> String {
    match verdict {
        Verdict::Refused { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_known_key_is_its_site_whatever_token_it_asks_for() {
    let yard = Yard::new();
    yard.prepare("site1", "a").await;
    assert!(matches!(yard.verdict("a", "other").await, Verdict::Welcome { token, .. } if token == "site1"));
}

#[tokio::test]
async fn a_foreign_edge_cannot_claim_a_server_token() {
    let yard = Yard::new();
    yard.prepare("site1", "a").await;
    assert!(refusal(yard.verdict("b", "site1").await).contains("does not know this box"));
    // Not even with the right log-in, or a code that is typed: the token is another one's.
    let mut socket = yard.greet("b", "site1", |hello| hello.with_login("admin", &Secret::new("right"))).await;
    assert!(refusal(hear(&mut socket, PATIENCE).await.unwrap()).contains("in use"));
    let code = |hello: Hello| hello.of("", "", "", &code_hash("0000-0000"));
    let mut socket = yard.greet("b", "site1", code).await;
    assert_eq!(hear::<_, Verdict>(&mut socket, PATIENCE).await.unwrap(), Verdict::Unclaimed);
    let error = yard.central.claim("0000-0000", None, None).await.unwrap_err();
    assert_eq!((error.kind(), yard.central.sites().len()), (Kind::Refused, 1));
    // As the other one's key it has no signature.
    let owner = yard.key("a").public();
    let as_owner = |mut hello: Hello| {
        hello.key = owner;
        hello
    };
    let mut socket = yard.greet("b", "site1", as_owner).await;
    assert!(refusal(hear(&mut socket, PATIENCE).await.unwrap()).contains("signature"));
}

#[tokio::test]
async fn a_signature_serves_one_connection() {
    let yard = Yard::new();
    yard.prepare("site1", "a").await;
    let (_first, challenge) = yard.dial().await;
    let recorded = Hello::new(&yard.key("a"), &challenge, "site1");
    let (mut socket, other) = yard.dial().await;
    assert_ne!(challenge, other);
    say(&mut socket, &recorded).await.unwrap();
    assert!(refusal(hear(&mut socket, PATIENCE).await.unwrap()).contains("signature"));
}

#[tokio::test]
async fn a_new_link_of_the_same_key_replaces_the_old_one() {
    let yard = Yard::new();
    yard.prepare("site1", "a").await;
    let (old, _streams) = yard.come("a", "site1").await;
    let (new, mut streams) = yard.come("a", "site1").await;
    old.ended().await;
    sleep(Duration::from_millis(50)).await;
    assert!(!new.is_over());
    // The end of the old one did not take the new one out; the first stream is the central's own question.
    let mut stream = yard.central.open_stream("site1").await.unwrap();
    stream.write_all(b"!").await.unwrap();
    let mut got = Vec::new();
    for _ in 0..2 {
        let mut arrived = streams.recv().await.unwrap();
        got.push(arrived.read_u8().await.unwrap());
    }
    got.sort_unstable();
    assert_eq!(got, b"!G");
    new.close();
    yard.until(|central| central.site("site1").unwrap().link.is_none()).await;
    let error = yard.central.open_stream("site1").await.map(drop).unwrap_err();
    assert!(error.to_string().contains("not connected since"), "{error}");
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_put_out_and_kept_out() {
    let yard = Yard::new();
    yard.prepare("site1", "a").await;
    let (tunnel, _streams) = yard.come("a", "site1").await;
    yard.central.change("site1", None, Some(false)).await.unwrap();
    tunnel.ended().await;
    assert!(refusal(yard.verdict("a", "site1").await).contains("disabled"));
    yard.central.change("site1", Some("Back"), Some(true)).await.unwrap();
    let (tunnel, _streams) = yard.come("a", "site1").await;
    yard.central.change("site1", Some("Renamed"), None).await.unwrap();
    assert!(!tunnel.is_over() && yard.central.site("site1").unwrap().link.is_some());
    yard.central.remove("site1").await.unwrap();
    tunnel.ended().await;
    assert!(refusal(yard.verdict("a", "site1").await).contains("does not know"));
}

#[tokio::test]
async fn a_token_that_is_another_boxs_now_is_of_no_use_to_the_old_one() {
    let yard = Yard::new();
    yard.prepare("site1", "a").await;
    let (old, _streams) = yard.come("a", "site1").await;
    yard.central.remove("site1").await.unwrap();
    yard.prepare("site1", "b").await;
    old.ended().await;
    assert!(yard.central.site("site1").unwrap().link.is_none());
    assert!(refusal(yard.verdict("a", "site1").await).contains("does not know"));
    let (_new, _streams) = yard.come("b", "site1").await;
    // The key may come in again, as another site.
    yard.prepare("site2", "a").await;
    assert!(matches!(yard.verdict("a", "site1").await, Verdict::Welcome { token, .. } if token == "site2"));
}

#[tokio::test]
async fn a_code_takes_in_the_one_box_that_shows_it_now() {
    let yard = Yard::new();
    let shows = |code: &str| {
        let hash = code_hash(code);
        move |hello: Hello| hello.of("Shop", "", "", &hash)
    };
    let waits = async |edge: &str, code: &str| {
        let mut socket = yard.greet(edge, edge, shows(code)).await;
        assert_eq!(hear::<_, Verdict>(&mut socket, PATIENCE).await.unwrap(), Verdict::Unclaimed);
        socket
    };
    let mut first = waits("a", "1111-1111").await;
    let wrong = yard.central.claim("1111-1112", None, None).await.unwrap_err();
    assert_eq!(wrong.kind(), Kind::NotFound);
    assert_eq!(yard.central.claim("1111 1111", Some("shop-7"), None).await.unwrap(), "shop-7");
    welcome(&mut first, "shop-7").await;
    let again = yard.central.claim("1111-1111", Some("shop-8"), None).await.unwrap_err();
    assert_eq!(again.kind(), Kind::NotFound, "a code works once");

    let (one, two) = (waits("b", "2222-2222").await, waits("c", "2222-2222").await);
    let both = yard.central.claim("2222-2222", None, None).await.unwrap_err();
    assert_eq!(both.kind(), Kind::Refused, "{both}");
    // The one that goes waits no longer; the other one's code is its own then.
    drop(one);
    yard.until(|central| central.waiting_here().len() == 1).await;
    assert_eq!(yard.central.claim("2222-2222", None, None).await.unwrap(), "c");
    let mut two = two;
    welcome(&mut two, "c").await;
    // One that comes again is one.
    let (_old, _new) = (waits("d", "3333-3333").await, waits("d", "3333-3333").await);
    yard.central.claim("3333-3333", None, None).await.unwrap();
}

#[tokio::test]
async fn strangers_cannot_take_all_places_to_wait() {
    let yard = Yard::new();
    let mut held = Vec::new();
    let refused = loop {
        let edge = format!("e{}", held.len());
        let code = code_hash(&edge);
        let mut socket = yard.greet(&edge, &edge, |hello| hello.of("", "", "", &code)).await;
        match hear(&mut socket, PATIENCE).await.unwrap() {
            Verdict::Unclaimed => held.push(socket),
            other => break refusal(other),
        }
    };
    assert!(held.len() < MAX_WAITING, "{}: {refused}", held.len());
}

#[tokio::test]
async fn a_log_in_takes_a_box_in_once() {
    let yard = Yard::new();
    let greet =
        |password| yard.greet("a", "site1", move |hello| hello.with_login("admin", &Secret::new(password)));
    let mut socket = greet("wrong").await;
    assert!(refusal(hear(&mut socket, PATIENCE).await.unwrap()).contains("admin is not let in"));
    welcome(&mut greet("right").await, "site1").await;
    // Known by its key from then on.
    welcome(&mut greet("wrong").await, "site1").await;
}
