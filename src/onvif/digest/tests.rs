use super::server::MAX_USED;
use super::*;
use crate::base::secret::Secret;
use crate::base::wall::Wall;

/// RFC 7616 3.9.1.
const RFC: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=HASH, \
    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

const GET: Asked = Asked { method: "GET", uri: "/dir/index.html", body: b"" };

fn mufasa() -> Credentials<'static> {
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    Credentials { user: "Mufasa", password: "Circle of Life", cnonce, count: 1 }
}

#[test]
fn vectors_of_rfc_7616() {
    for (hash, response) in [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ] {
        let challenge = best([RFC.replace("HASH", hash).as_str()]).unwrap();
        let header = answer(&challenge, &mufasa(), &GET);
        assert!(header.contains(&format!("response=\"{response}\"")), "{header}");
        assert!(header.contains(&format!("algorithm={hash}, opaque=\"FQhe")), "{header}");
        assert!(header.contains("qop=auth, nc=00000001, cnonce=\"f2/w"), "{header}");
    }
}

#[test]
fn vector_of_rfc_2069_without_qop() {
    // RFC 2617 3.5, computed as RFC 2069 has it.
    let challenge =
        best(["Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""]);
    let credentials = Credentials { password: "Circle Of Life", ..mufasa() };
    let header = answer(&challenge.unwrap(), &credentials, &GET);
    assert!(header.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{header}");
    assert!(
        !header.contains("qop") && !header.contains("cnonce") && !header.contains("algorithm"),
        "{header}"
    );
}

#[test]
fn challenges_in_any_arrangement() {
    let md5 = "Digest realm=\"cam, \\\"one\\\"\", nonce=\"n,1\", qop=\"auth\", algorithm=MD5";
    let sha = "Digest algorithm=SHA-256, qop=auth,nonce=n2 ,realm=\"r\"";
    let found = |lines: &[&str]| best(lines.iter().copied()).map(|c| (c.nonce, c.hash));
    let (one, two) = (Some(("n,1".to_owned(), Hash::Md5)), Some(("n2".to_owned(), Hash::Sha256)));
    assert_eq!(best([md5]).unwrap().realm, "cam, \"one\"");
    assert_eq!(found(&["Basic realm=\"x\"", md5]), one);
    assert_eq!(found(&[md5, "Basic realm=\"x\""]), one);
    assert_eq!(found(&[&format!("Basic realm=\"a, Digest b\", {md5}")]), one);
    assert_eq!(found(&[&format!("{md5}, Basic realm=\"x\"")]), one);
    assert_eq!(found(&[&format!("Negotiate YWJj==, Newauth, {md5}")]), one);
    assert_eq!(found(&[md5, sha]), two);
    assert_eq!(found(&[&format!("{sha}, {md5}")]), two);
    // What nobody here can compute is passed over.
    assert_eq!(found(&[&md5.replace("MD5", "SHA-512-256"), md5]), one);
    for none in [
        "",
        "Basic realm=\"x\"",
        "Digest realm=\"no nonce\"",
        "Digest nonce=\"n\", qop=\"other\"",
        ",=\"",
        "\"\\",
    ] {
        assert_eq!(found(&[none]), None, "{none}");
    }
}

#[test]
fn kinds_of_quality() {
    let qop = |text: &str| best([format!("Digest nonce=n, realm=r, {text}").as_str()]).unwrap().qop;
    assert_eq!(qop("qop=\"auth-int,auth\""), Qop::Auth);
    assert_eq!(qop("qop=\"auth-int\""), Qop::AuthInt);
    assert_eq!(qop("QOP=AUTH"), Qop::Auth);
    assert_eq!(qop("qop=\"\""), Qop::None);
    assert_eq!(qop("stale=TRUE"), Qop::None);
    assert!(best(["Digest nonce=n, stale=TRUE"]).unwrap().stale);
}

const NOW: Wall = Wall(1_767_225_600_000);
const POST: Asked = Asked { method: "POST", uri: "/onvif/device_service", body: b"<x/>" };

fn lookup(user: &str) -> Option<Secret> {
    (user == "ann \"\\").then(|| Secret::new("pw"))
}

/// As a client does that read `header`.
fn authorization(header: &str, password: &str, count: u32) -> String {
    let credentials = Credentials { user: "ann \"\\", password, cnonce: "c", count };
    answer(&best([header]).unwrap(), &credentials, &POST)
}

fn verified(authority: &Authority, header: &str, at: i64) -> Verdict {
    authority.verify(header, &POST, lookup, NOW.plus_millis(at))
}

#[test]
fn our_challenges_are_answered_and_taken() {
    let authority = Authority::new("h5edge");
    for hash in [Hash::Md5, Hash::Sha256] {
        let challenge = authority.challenge(hash, false, NOW);
        for count in 1..4 {
            let header = authorization(&challenge, "pw", count);
            assert_eq!(verified(&authority, &header, 1000), Verdict::User("ann \"\\".into()));
            // Played again.
            assert_eq!(verified(&authority, &header, 1000), Verdict::Stale);
        }
        assert_eq!(verified(&authority, &authorization(&challenge, "no", 9), 0), Verdict::Wrong);
    }
    assert!(authority.challenge(Hash::Md5, true, NOW).ends_with(", stale=true"));
}

#[test]
fn the_body_may_be_covered() {
    let authority = Authority::new("r");
    let header = authority.challenge(Hash::Sha256, false, NOW).replace("qop=\"auth\"", "qop=\"auth-int\"");
    let header = authorization(&header, "pw", 1);
    let other = Asked { body: b"<y/>", ..POST };
    assert_eq!(authority.verify(&header, &other, lookup, NOW), Verdict::Wrong);
    assert!(matches!(verified(&authority, &header, 0), Verdict::User(_)));
}

#[test]
fn without_a_count_a_nonce_is_good_for_once() {
    let authority = Authority::new("r");
    let header = authority.challenge(Hash::Md5, false, NOW).replace("qop=\"auth\", ", "");
    let header = authorization(&header, "pw", 1);
    assert!(matches!(verified(&authority, &header, 0), Verdict::User(_)));
    assert_eq!(verified(&authority, &header, 0), Verdict::Stale);
}

#[test]
fn old_and_foreign_nonces_are_stale() {
    let authority = Authority::new("r");
    let header = authorization(&authority.challenge(Hash::Md5, false, NOW), "pw", 1);
    assert_eq!(verified(&authority, &header, 300_001), Verdict::Stale);
    assert!(matches!(verified(&authority, &header, 300_000), Verdict::User(_)));
    let foreign = authorization(&Authority::new("r").challenge(Hash::Md5, false, NOW), "pw", 1);
    assert_eq!(verified(&authority, &foreign, 0), Verdict::Stale);
    let made_up = authorization("Digest realm=\"r\", nonce=\"é\", qop=\"auth\"", "pw", 1);
    assert_eq!(verified(&authority, &made_up, 0), Verdict::Stale);
}

#[test]
fn a_clock_that_is_set_back_makes_all_nonces_stale_and_new_ones_good() {
    let authority = Authority::new("r");
    let old = authorization(&authority.challenge(Hash::Md5, false, NOW), "pw", 1);
    let hour = -3_600_000;
    assert_eq!(verified(&authority, &old, hour), Verdict::Stale);
    let header = authorization(&authority.challenge(Hash::Md5, true, NOW.plus_millis(hour)), "pw", 1);
    assert!(matches!(verified(&authority, &header, hour), Verdict::User(_)));
    assert_eq!(verified(&authority, &old, 0), Verdict::Stale);
}

#[test]
fn what_was_not_asked_for_is_unusable() {
    let authority = Authority::new("r");
    let good = authorization(&authority.challenge(Hash::Md5, false, NOW), "pw", 1);
    let unusable = |header: &str| assert_eq!(verified(&authority, header, 0), Verdict::Unusable, "{header}");
    unusable("");
    unusable("Basic YTpi");
    unusable(&good.replace("realm=\"r\"", "realm=\"q\""));
    unusable(&good.replace("uri=\"/onvif/device_service\"", "uri=\"/onvif/ptz\""));
    unusable(&good.replace("nc=00000001", "nc=x"));
    unusable(&good.replace("username", "nobody"));
}

#[test]
fn an_address_in_full_means_its_path() {
    let authority = Authority::new("r");
    let asked = Asked { uri: "http://192.0.2.1:80/onvif/device_service", ..POST };
    let challenge = best([authority.challenge(Hash::Md5, false, NOW).as_str()]).unwrap();
    let credentials = Credentials { user: "ann \"\\", password: "pw", cnonce: "c", count: 1 };
    let header = answer(&challenge, &credentials, &asked);
    assert!(matches!(verified(&authority, &header, 0), Verdict::User(_)));
}

#[test]
fn forgetting_does_not_make_answers_good_again() {
    let authority = Authority::new("r");
    let first = authorization(&authority.challenge(Hash::Md5, false, NOW), "pw", 1);
    assert!(matches!(verified(&authority, &first, 0), Verdict::User(_)));
    for _ in 0..MAX_USED {
        let next = authorization(&authority.challenge(Hash::Md5, false, NOW.plus_millis(1)), "pw", 1);
        assert!(matches!(verified(&authority, &next, 1), Verdict::User(_)));
    }
    assert_eq!(verified(&authority, &first, 2), Verdict::Stale);
    let (known, order) = authority.remembered();
    assert_eq!((known, order), (MAX_USED, MAX_USED));
}

proptest::proptest! {
    #[test]
    fn whatever_a_header_holds_is_borne(line in "(Digest|Basic|[a-z=,\"\\\\ é])*((realm|nonce|qop|algorithm)=\"?[a-z,\"]*)*") {
        let _ = best([line.as_str()]);
        let verdict = Authority::new("r").verify(&line, &POST, lookup, NOW);
        proptest::prop_assert!(!matches!(verdict, Verdict::User(_)));
    }

    #[test]
    fn whatever_a_realm_holds_is_answered_in_its_words(realm in "[ -~]*", user in "[!-~]{1,20}") {
        let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
        let challenge = best([format!("Digest realm=\"{quoted}\", nonce=\"n\"").as_str()]).unwrap();
        proptest::prop_assert_eq!(&challenge.realm, &realm);
        let credentials = Credentials { user: &user, ..mufasa() };
        let read = best([answer(&challenge, &credentials, &GET).as_str()]).unwrap();
        proptest::prop_assert_eq!(read.realm, realm);
    }
}
