use super::*;
use crate::onvif::xml::parse;

const NOW: Wall = Wall(1_767_225_600_000);

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// The token as a peer reads it.
fn read(token: &str) -> Element {
    parse(format!("<s:h xmlns:s='urn:s'>{token}</s:h>").as_bytes()).unwrap().children.remove(0)
}

fn verify(tokens: &Tokens, token: &str, now: Wall) -> Result<String, Refusal> {
    tokens.verify(&read(token), |user| (user == "a&b").then(|| secret("pässword")), now)
}

#[test]
fn the_digest_of_the_onvif_application_programmers_guide() {
    // ONVIF Application Programmer's Guide 6.1.1.3.
    let nonce = BASE64_STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
    let token = token_with("user", &secret("userpassword"), &nonce, "2010-09-16T07:50:45Z");
    let read = read(&token);
    assert_eq!(read.find("Password").unwrap().text, "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
    assert_eq!(read.find("Nonce").unwrap().text, "LKqI6G/AikKCQrN0zqZFlg==");
    assert_eq!(read.find("Created").unwrap().text, "2010-09-16T07:50:45Z");
}

#[test]
fn a_right_token_is_taken_once() {
    let tokens = Tokens::default();
    let token = token("a&b", &secret("pässword"), NOW);
    assert_eq!(verify(&tokens, &token, NOW), Ok("a&b".into()));
    assert_eq!(verify(&tokens, &token, NOW.plus_millis(1000)), Err(Refusal::Replayed));
    let other = super::token("a&b", &secret("pässword"), NOW);
    assert_eq!(verify(&tokens, &other, NOW), Ok("a&b".into()));
}

#[test]
fn five_minutes_either_way() {
    let verified = |ahead: i64| {
        let token = token("a&b", &secret("pässword"), NOW.plus_millis(ahead));
        verify(&Tokens::default(), &token, NOW)
    };
    assert!(verified(300_000).is_ok() && verified(-300_000).is_ok());
    assert_eq!(verified(301_000), Err(Refusal::WrongTime));
    assert_eq!(verified(-301_000), Err(Refusal::WrongTime));
}

#[test]
fn the_wrong_ones_are_refused() {
    let check = |token: &str| verify(&Tokens::default(), token, NOW);
    let good = token("a&b", &secret("pässword"), NOW);
    assert_eq!(check(&token("a&b", &secret("password"), NOW)), Err(Refusal::Wrong));
    assert_eq!(check(&token("nobody", &secret(""), NOW)), Err(Refusal::Wrong));
    assert_eq!(check(&good.replace("#PasswordDigest", "#PasswordText")), Err(Refusal::NoDigest));
    for missing in ["Username", "Created", "Nonce"] {
        let token =
            good.replace(&format!(":{missing}>"), ":Else>").replace(&format!(":{missing} "), ":Else ");
        assert_eq!(check(&token), Err(Refusal::Incomplete), "{missing}");
    }
    assert_eq!(check("<x/>"), Err(Refusal::Incomplete));
    assert_eq!(check(&good.replace("2026-01-01T00", "yesterday")), Err(Refusal::Incomplete));
}

#[test]
fn memory_is_bounded_and_the_old_are_forgotten() {
    let tokens = Tokens::default();
    for number in 0..MAX_SEEN + 10 {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        assert!(tokens.first(name, NOW));
    }
    let count = |tokens: &Tokens| {
        let seen = tokens.0.lock().unwrap();
        (seen.known.len(), seen.order.len())
    };
    assert_eq!(count(&tokens), (MAX_SEEN, MAX_SEEN));
    assert!(tokens.first([255; 32], NOW.plus_millis(2 * WINDOW + 1)));
    assert_eq!(count(&tokens), (1, 1));
}
