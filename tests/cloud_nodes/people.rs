//! People meet another node with each request, and boxes are claimed at any.

use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::{http, wait_for};
use crate::yard::{MAPPED, SPREAD, Yard};

const SECRET: &str = "Glass-Onion-41";
const OTHER: &str = "Paper-Anchor-52";

/// Whether `session` is one at that node.
fn is_open(node: &Daemon, session: &str) -> bool {
    node.get(&format!("/api/v1/GetSrc?session={session}")).1["src"].is_array()
}

fn login(node: &Daemon, user: &str, password: &str) -> Option<String> {
    let answer = node.get(&format!("/api/v1/Login?user={user}&password={password}")).1;
    answer["strSession"].as_str().filter(|_| answer["bStatus"] == true).map(str::to_owned)
}

fn wait_closed(node: &Daemon, session: &str) {
    wait_for("the session's end", SPREAD, || (!is_open(node, session)).then_some(()));
}

#[test]
fn one_log_in_serves_all_nodes_and_a_code_is_typed_at_any() {
    let mut yard = Yard::new(1, "");
    let [a, b, c] = [0, 1, 2].map(|index| &yard.nodes[index]);

    // A log-in at one is one at all, at once; a form's too.
    let session = login(a, "admin", "12345").expect("a log-in");
    assert!(is_open(b, &session) && is_open(c, &session));
    let fresh = login(b, "admin", "12345").expect("a log-in");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("session={fresh}");
    let answer = http::request(c.http, "POST", "/api/v1/GetSrc", &form, body.as_bytes());
    assert!(answer.json()["src"].is_array(), "{}", answer.text());
    assert!(!is_open(c, "01234567-0123-4123-8123-0123456789ab"));

    // A log-out ends it at all.
    assert_eq!(b.get(&format!("/api/v1/Logout?session={session}")).0, 200);
    for node in [a, b, c] {
        wait_closed(node, &session);
    }
    assert!(is_open(a, &fresh), "another log-in of the same user goes on");

    // Who is made at one can log in at another, and a new password ends the sessions at all.
    a.api_ok("CreateUser", &[("user", "vera"), ("password", SECRET), ("roletoken", "viewer")]);
    let vera = wait_for("a log-in at c", SPREAD, || login(c, "vera", SECRET));
    assert!(is_open(a, &vera) && is_open(b, &vera));
    a.api_ok("ResetUserPassword", &[("user", "vera"), ("password", OTHER)]);
    for node in [a, b, c] {
        wait_closed(node, &vera);
        assert_eq!(login(node, "vera", SECRET), None);
    }
    assert!(login(b, "vera", OTHER).is_some());

    // What is changed while the nodes cannot hear each other is made good afterwards.
    let [left, kept] = [0, 1].map(|_| login(a, "admin", "12345").expect("a log-in"));
    let vera = login(a, "vera", OTHER).expect("a log-in");
    for session in [&left, &kept, &vera] {
        assert!(is_open(b, session) && is_open(c, session));
    }
    (0..3).for_each(|server| yard.nats.kill(server));
    assert_eq!(b.get(&format!("/api/v1/Logout?session={left}")).0, 200);
    b.api_ok("ResetUserPassword", &[("user", "vera"), ("password", SECRET)]);
    // And who logs in then is known to all once they can.
    let late = login(b, "admin", "12345").expect("a log-in");
    assert!(is_open(b, &late) && !is_open(a, &late));
    (0..3).for_each(|server| yard.nats.revive(server));
    for (node, session) in [(a, &left), (a, &vera), (c, &left), (c, &vera)] {
        wait_for("the end of what was ended meanwhile", 3 * SPREAD, || {
            (!is_open(node, session)).then_some(())
        });
    }
    assert!([a, b, c].iter().all(|node| is_open(node, &kept)));
    for node in [a, c] {
        wait_for("who logged in meanwhile", 2 * SPREAD, || is_open(node, &late).then_some(()));
    }

    // Three nodes give a guesser no more tries than one.
    let guess = |node: &Daemon| node.get("/api/v1/Login?user=vera&password=wrong").1;
    let marks = [(); 5].map(|()| login(a, "admin", "12345").expect("a log-in"));
    for (tried, (node, mark)) in [a, b, c, a, b].into_iter().zip(&marks).enumerate() {
        assert!([a, b, c].iter().all(|node| is_open(node, mark)));
        let refused = guess(node);
        assert_eq!(refused["nFaultTimes"], tried + 1, "{refused}");
        // What one counts the others hear a moment later, and before what it tells after that.
        assert_eq!(node.get(&format!("/api/v1/Logout?session={mark}")).0, 200);
        for node in [a, b, c] {
            wait_closed(node, mark);
        }
    }
    for node in [a, b, c] {
        assert_ne!(guess(node)["tLockTimeResidue"], 0);
        assert_eq!(login(node, "vera", SECRET), None, "the right one waits too");
    }
    assert!(login(c, "admin", "12345").is_some(), "somebody else does not");

    // The box waits at b, and its code is typed at c.
    let code = wait_for("a claim code", SPREAD, || {
        let told = yard.edge.api_ok("GetCloudClientInfo", &[]);
        told["strClaimCode"].as_str().filter(|_| told["strState"] == "unclaimed").map(str::to_owned)
    });
    let key = yard.edge.api_ok("GetCloudClientInfo", &[])["strDeviceKey"].clone();
    for node in [a, b, c] {
        let waiting = node.api_ok("GetClaimList", &[]);
        let keys: Vec<_> =
            waiting["claim"].as_array().expect("a list").iter().map(|held| &held["strDeviceKey"]).collect();
        assert_eq!(keys, [&key], "{waiting}");
    }
    let wrong = c.api("ClaimServer", &[("code", "AAAA-AAAA")]).1;
    assert_eq!(wrong["bStatus"], false, "{wrong}");
    let claimed = c.api_ok("ClaimServer", &[("code", &code), ("name", "Claimed")]);
    assert_eq!(claimed["strServerToken"], "site1", "{claimed}");
    assert_eq!(a.api_ok("GetClaimList", &[])["claim"], Value::Array(Vec::new()));
    for node in 0..3 {
        let listed = yard.wait_listed(node, true);
        assert_eq!((&listed["strServerName"], &listed["strToken"]), (&"Claimed".into(), &MAPPED.into()));
    }
    assert_eq!(yard.home(), Some(1));
}
