//! The answers, without a server: what is asked comes as bytes, what is shown is made up here.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::SystemTime;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::*;
use crate::base::secret::Secret;
use crate::base::wall::Wall;
use crate::onvif::digest::{self, Credentials};
use crate::onvif::events::{CameraEvent, EventKind};
use crate::onvif::{Camera, wsse};

/// Four channels: with both streams, H.265 with an H.264 sub, H.265 alone, and one never seen.
struct House {
    channels: Vec<Channel>,
    h265_as_h264: bool,
    /// Wrong passwords so far.
    wrong: Mutex<u32>,
}

const H264: Picture = Picture {
    codec: Codec::H264,
    width: 1920,
    height: 1080,
    fps: 25,
    kbps: 4000,
    gop: 50,
    profile: CodecProfile::High,
};

fn house() -> House {
    let h265 = Picture { codec: Codec::H265, profile: CodecProfile::Main10, ..H264 };
    let small = Picture { width: 640, height: 360, ..H264 };
    let channel = |source: &str, main, sub| Channel {
        source: source.into(),
        name: format!("<{source}>"),
        main,
        sub,
        ptz: source == "gate",
    };
    let channels = vec![
        channel("gate", Some(H264), Some(Some(small))),
        channel("yard", Some(h265), Some(Some(small))),
        channel("hall.1", Some(h265), None),
        channel("new", None, Some(None)),
    ];
    House { channels, h265_as_h264: false, wrong: Mutex::new(0) }
}

fn user(name: &str, level: Level) -> User {
    User { name: name.into(), password: Secret::new("pass"), level }
}

impl Site for House {
    fn identity(&self) -> Identity {
        Identity {
            serial: "4711".into(),
            name: "North gate & é".into(),
            hardware: "box".into(),
            endpoint: "urn:uuid:1".into(),
            ..Identity::default()
        }
    }

    fn channels(&self) -> Vec<Channel> {
        self.channels.clone()
    }

    fn camera(&self, _: &str) -> Option<Arc<Camera>> {
        None
    }

    fn users(&self) -> Vec<User> {
        vec![user("viewer", Level::User), user("guard", Level::Operator), user("boss", Level::Administrator)]
    }

    fn may_try(&self, _: IpAddr, _: &str) -> bool {
        let mut wrong = self.wrong.lock().unwrap();
        *wrong += 1;
        *wrong <= 3
    }

    fn tried(&self, _: IpAddr, _: &str, _: Outcome) {
        *self.wrong.lock().unwrap() -= 1;
    }

    async fn network(&self) -> Network {
        let interface = |name: &str, mac: &str, ip: [u8; 4]| Interface {
            name: name.into(),
            mac: mac.into(),
            mtu: 1500,
            up: true,
            addresses: vec![(ip.into(), 24)],
        };
        Network {
            hostname: "box".into(),
            interfaces: vec![
                interface("eth0", "02:00:00:00:00:01", [198, 51, 100, 1]),
                interface("eth1", "02:00:00:00:00:02", [203, 0, 113, 1]),
            ],
            http: 80,
            https: Some(443),
            rtsp: 8554,
            ..Network::default()
        }
    }

    fn rtsp_port(&self) -> u16 {
        8554
    }

    fn discoverable(&self) -> bool {
        true
    }

    fn h265_as_h264(&self) -> bool {
        self.h265_as_h264
    }
}

fn device(house: House) -> Device<House> {
    Device::new(Arc::new(house))
}

fn request(body: String) -> Request {
    Request {
        method: "POST",
        path: path(Service::Device).into(),
        authorization: None,
        body: body.into(),
        local: "203.0.113.1:8080".parse().unwrap(),
        peer: "203.0.113.9:40000".parse().unwrap(),
        https: false,
    }
}

fn envelope(header: &str, service: Service, operation: &str, arguments: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>{header}</s:Header><s:Body>\
         <{operation} xmlns=\"{}\" xmlns:tt=\"{}\">{arguments}</{operation}></s:Body></s:Envelope>",
        service.namespace(),
        crate::onvif::service::SCHEMA,
    )
}

fn now() -> Wall {
    Wall::from(SystemTime::now())
}

/// Asks as `name`, with a token.
async fn ask_as(
    device: &Device<House>,
    name: &str,
    service: Service,
    operation: &str,
    arguments: &str,
) -> Response {
    let token = wsse::token(name, &Secret::new("pass"), now());
    device.answer(&request(envelope(&token, service, operation, arguments))).await
}

/// Asks as the administrator; the answer's content.
async fn ask(device: &Device<House>, service: Service, operation: &str, arguments: &str) -> Element {
    let response = ask_as(device, "boss", service, operation, arguments).await;
    assert_eq!(response.status, 200, "{operation}: {}", response.body);
    let envelope = xml::parse(response.body.as_bytes()).unwrap();
    let answer = envelope.at(&["Body"]).unwrap().children[0].clone();
    assert_eq!(answer.name, format!("{operation}Response"));
    answer
}

/// Status and innermost subcode of a fault.
async fn fault(device: &Device<House>, service: Service, operation: &str, arguments: &str) -> (u16, String) {
    let response = ask_as(device, "boss", service, operation, arguments).await;
    (response.status, subcode(&response))
}

fn subcode(response: &Response) -> String {
    let envelope = xml::parse(response.body.as_bytes()).unwrap();
    let mut code = envelope.at(&["Body", "Fault", "Code"]).unwrap();
    while let Some(inner) = code.child("Subcode") {
        code = inner;
    }
    code.text_at(&["Value"]).unwrap().to_owned()
}

fn tokens(answer: &Element, name: &str) -> Vec<String> {
    answer.all(name).map(|element| element.attribute("token").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn media2_shows_everything_in_order() {
    let device = device(house());
    let profiles = ask(&device, Service::Media2, "GetProfiles", "<Type>All</Type>").await;
    let hall = names::stem("hall.1");
    let expected = [
        "p_gate_main",
        "p_gate_sub",
        "p_yard_main",
        "p_yard_sub",
        &format!("p_{hall}_main"),
        "p_new_main",
        "p_new_sub",
    ];
    assert_eq!(tokens(&profiles, "Profiles"), expected);
    let yard = &profiles.children[2];
    assert_eq!(yard.text_at(&["Name"]), Some("<yard> main"));
    let encoder = yard.at(&["Configurations", "VideoEncoder"]).unwrap();
    assert_eq!(
        (encoder.text_at(&["Encoding"]), encoder.attribute("Profile")),
        (Some("H265"), Some("Main10"))
    );
    assert_eq!(encoder.text_at(&["RateControl", "BitrateLimit"]), Some("4000"));
    // Never seen: nothing is made up.
    assert!(profiles.children[5].at(&["Configurations", "VideoEncoder"]).is_none());
    assert!(profiles.children[0].at(&["Configurations", "PTZ"]).is_some());
    assert!(profiles.children[2].at(&["Configurations", "PTZ"]).is_none());
    let plain = ask(&device, Service::Media2, "GetProfiles", "").await;
    assert!(plain.children.iter().all(|profile| profile.child("Configurations").is_none()));
}

#[tokio::test]
async fn media1_leaves_h265_out_where_there_is_another() {
    let first = device(house());
    let profiles = ask(&first, Service::Media, "GetProfiles", "").await;
    let expected = ["p_gate_main", "p_gate_sub", "p_yard_sub", "p_new_main", "p_new_sub"];
    assert_eq!(tokens(&profiles, "Profiles"), expected);
    // As many sources as in Media2 all the same.
    assert_eq!(ask(&first, Service::Media, "GetVideoSources", "").await.children.len(), 4);
    let second = device(House { h265_as_h264: true, ..house() });
    let profiles = ask(&second, Service::Media, "GetProfiles", "").await;
    let hall = format!("p_{}_main", names::stem("hall.1"));
    let called = profiles.children.iter().find(|p| p.attribute("token") == Some(&hall)).unwrap();
    assert_eq!(called.text_at(&["VideoEncoderConfiguration", "Encoding"]), Some("H264"));
    assert!(!tokens(&profiles, "Profiles").contains(&"p_yard_main".to_owned()));
}

#[tokio::test]
async fn addresses_are_those_of_the_connection() {
    let device = device(house());
    let uri = |answer: Element| answer.find("Uri").unwrap().text.clone();
    let profile = "<ProfileToken>p_gate_sub</ProfileToken>";
    let setup = "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>\
                 </tt:Transport></StreamSetup>";
    let answer = ask(&device, Service::Media, "GetStreamUri", &format!("{setup}{profile}")).await;
    assert_eq!(uri(answer), "rtsp://203.0.113.1:8554/live/gate$$sub");
    let answer =
        ask(&device, Service::Media2, "GetStreamUri", &format!("<Protocol>RTSP</Protocol>{profile}")).await;
    assert_eq!(uri(answer), "rtsp://203.0.113.1:8554/live/gate$$sub");
    let answer = ask(&device, Service::Media2, "GetSnapshotUri", profile).await;
    assert_eq!(uri(answer), "http://203.0.113.1:8080/onvif/snapshot/p_gate_sub");
    let mut six = request(envelope("", Service::Device, "GetServices", ""));
    (six.local, six.https) = ("[2001:db8::1]:8443".parse().unwrap(), true);
    let answer = device.answer(&six).await.body;
    assert!(answer.contains("https://[2001:db8::1]:8443/onvif/ptz_service"), "{answer}");
    six.local = "[::ffff:203.0.113.1]:80".parse().unwrap();
    assert!(device.answer(&six).await.body.contains("https://203.0.113.1:80/onvif/"));
    let answer = ask(&device, Service::Device, "GetNetworkInterfaces", "").await;
    assert_eq!(tokens(&answer, "NetworkInterfaces"), ["eth1", "eth0"]);
}

#[tokio::test]
async fn faults_have_the_names_that_onvif_gives_them() {
    let device = device(house());
    for (service, operation, arguments, expected) in [
        (Service::Device, "SetMagic", "", (500, "ter:ActionNotSupported")),
        (Service::Device, "SystemReboot", "", (400, "ter:OperationProhibited")),
        (Service::Device, "GetCapabilities", "<Category>Analytics</Category>", (500, "ter:NoSuchService")),
        (Service::Media, "GetProfile", "<ProfileToken>nope</ProfileToken>", (400, "ter:NoProfile")),
        (Service::Media2, "GetStreamUri", "<Protocol>RTSP</Protocol>", (400, "ter:InvalidArgVal")),
        (
            Service::Media2,
            "GetStreamUri",
            "<Protocol>RtspMulticast</Protocol><ProfileToken>p_gate_main</ProfileToken>",
            (400, "ter:InvalidStreamSetup"),
        ),
        (Service::Media2, "DeleteProfile", "<Token>p_gate_main</Token>", (400, "ter:DeletionOfFixedProfile")),
        (Service::Ptz, "Stop", "<ProfileToken>p_yard_main</ProfileToken>", (400, "ter:NoPTZProfile")),
        (
            Service::Imaging,
            "GetOptions",
            "<VideoSourceToken>vs_nope</VideoSourceToken>",
            (400, "ter:NoSource"),
        ),
        (Service::Events, "PullMessages", "<Timeout>PT1S</Timeout>", (400, "ter:InvalidArgVal")),
    ] {
        let (status, code) = fault(&device, service, operation, arguments).await;
        assert_eq!((status, code.as_str()), expected, "{operation}");
    }
    let malformed = device.answer(&request("<a".into())).await;
    assert_eq!((malformed.status, subcode(&malformed).as_str()), (400, "ter:WellFormed"));
    let empty = device.answer(&request("<Envelope><Body/></Envelope>".into())).await;
    assert_eq!(empty.status, 400);
    let token = wsse::token("boss", &Secret::new("pass"), now());
    let alien =
        format!("<Envelope><Header>{token}</Header><Body><x:Reboot xmlns:x=\"urn:x\"/></Body></Envelope>")
            .replace("s:mustUnderstand", "mustUnderstand");
    let alien = device.answer(&request(alien)).await;
    assert_eq!(subcode(&alien), "ter:ActionNotSupported");
}

#[tokio::test]
async fn anybody_may_ask_for_the_time_and_nobody_for_more() {
    let device = device(house());
    for operation in ["GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetHostname"] {
        let response = device.answer(&request(envelope("", Service::Device, operation, ""))).await;
        assert_eq!(response.status, 200, "{operation}");
    }
    for (service, operation) in [(Service::Device, "GetDeviceInformation"), (Service::Media2, "GetProfiles")]
    {
        let response = device.answer(&request(envelope("", service, operation, ""))).await;
        assert_eq!((response.status, subcode(&response).as_str()), (401, "ter:NotAuthorized"));
        assert!(response.challenges[0].contains("algorithm=MD5"), "{:?}", response.challenges);
        assert!(response.challenges[1].contains("algorithm=SHA-256"), "{:?}", response.challenges);
    }
}

#[tokio::test]
async fn levels_are_held_to() {
    let device = device(house());
    let steer = "<ProfileToken>p_gate_main</ProfileToken>";
    let status = async |name, service, operation| {
        let response = ask_as(&device, name, service, operation, steer).await;
        (response.status, subcode(&response))
    };
    let refused = (400, "ter:NotAuthorized".to_owned());
    assert_eq!(status("viewer", Service::Ptz, "Stop").await, refused);
    // There is no camera behind in this test; the level was enough.
    assert_eq!(status("guard", Service::Ptz, "Stop").await.1, "ter:NoPTZProfile");
    assert_eq!(status("guard", Service::Device, "GetUsers").await, refused);
    let users = ask(&device, Service::Device, "GetUsers", "").await;
    assert_eq!(users.children[0].text_at(&["Username"]), Some("viewer"));
    assert!(users.find("Password").is_none());
}

/// The `Authorization` header that answers the challenge number `at` of a response.
fn digest_answer(response: &Response, at: usize, name: &str, password: &str, path: &str) -> String {
    let challenge = digest::best([response.challenges[at].as_str()]).unwrap();
    let credentials = Credentials { user: name, password, cnonce: "abc", count: 1 };
    digest::answer(&challenge, &credentials, &digest::Asked { method: "POST", uri: path, body: b"" })
}

#[tokio::test]
async fn digest_is_taken_with_either_hash_and_once() {
    let device = device(house());
    let mut asked = request(envelope("", Service::Device, "GetDeviceInformation", ""));
    let challenged = device.answer(&asked).await;
    for at in [0, 1] {
        asked.authorization = Some(digest_answer(&challenged, at, "viewer", "pass", &asked.path));
        assert_eq!(device.answer(&asked).await.status, 200);
        let again = device.answer(&asked).await;
        assert_eq!(again.status, 401);
        assert!(again.challenges[0].contains("stale=true"), "{:?}", again.challenges);
    }
    let fresh = device.answer(&Request { authorization: None, ..asked.clone() }).await;
    asked.authorization = Some(digest_answer(&fresh, 0, "viewer", "wrong", &asked.path));
    let wrong = device.answer(&asked).await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.challenges[0].contains("stale"), "{:?}", wrong.challenges);
}

#[tokio::test]
async fn guessing_is_braked_and_right_passwords_are_not_counted() {
    let device = device(house());
    for _ in 0..10 {
        assert_eq!(ask_as(&device, "viewer", Service::Media2, "GetProfiles", "").await.status, 200);
    }
    let wrong = async |password: &str| {
        let token = wsse::token("viewer", &Secret::new(password), now());
        device.answer(&request(envelope(&token, Service::Media2, "GetProfiles", ""))).await.status
    };
    for _ in 0..3 {
        assert_eq!(wrong("guess").await, 400);
    }
    // The right one does not help any more.
    assert_eq!(wrong("pass").await, 400);
}

#[tokio::test]
async fn a_token_of_another_time_is_no_try() {
    let device = device(house());
    for _ in 0..10 {
        let old = wsse::token("viewer", &Secret::new("pass"), now().plus_millis(-3_600_000));
        let response = device.answer(&request(envelope(&old, Service::Media2, "GetProfiles", ""))).await;
        assert_eq!((response.status, subcode(&response).as_str()), (400, "ter:NotAuthorized"));
        assert!(response.body.contains("5 minutes"), "{}", response.body);
    }
    assert_eq!(ask_as(&device, "viewer", Service::Media2, "GetProfiles", "").await.status, 200);
}

#[tokio::test]
async fn a_clear_password_is_not_taken() {
    let device = device(house());
    let nonce = BASE64_STANDARD.encode("n");
    let token = format!(
        "<Security><UsernameToken><Username>boss</Username><Password Type=\"x#PasswordText\">pass</Password>\
         <Nonce>{nonce}</Nonce><Created>2026-01-01T00:00:00Z</Created></UsernameToken></Security>"
    );
    let response = device.answer(&request(envelope(&token, Service::Device, "GetUsers", ""))).await;
    assert_eq!((response.status, subcode(&response).as_str()), (400, "ter:NotAuthorized"));
}

#[tokio::test]
async fn scopes_are_percent_encoded() {
    let device = device(house());
    let answer = ask(&device, Service::Device, "GetScopes", "").await;
    let scopes: Vec<_> = answer.all("Scopes").filter_map(|scope| scope.text_at(&["ScopeItem"])).collect();
    assert!(scopes.contains(&"onvif://www.onvif.org/name/North%20gate%20%26%20%C3%A9"), "{scopes:?}");
    assert!(scopes.contains(&"onvif://www.onvif.org/hardware/box"), "{scopes:?}");
    assert!(!scopes.iter().any(|scope| scope.contains("location")), "{scopes:?}");
}

#[tokio::test]
async fn events_are_pulled_from_the_address_that_was_given() {
    let device = device(house());
    let created = ask(&device, Service::Events, "CreatePullPointSubscription", "").await;
    let address = created.find("Address").unwrap().text.clone();
    let (_, path) = address.split_once("203.0.113.1:8080").unwrap();
    let event = CameraEvent { kind: EventKind::Motion, item: "x".into(), active: true };
    device.notify(Notice::Camera { source: "gate".into(), event, at: SystemTime::now() });
    let at_path = async |operation: &str, arguments: &str| {
        let token = wsse::token("viewer", &Secret::new("pass"), now());
        let body = envelope(&token, Service::Events, operation, arguments);
        device.answer(&Request { path: path.to_owned(), ..request(body) }).await
    };
    let pulled = at_path("PullMessages", "<Timeout>PT5S</Timeout><MessageLimit>10</MessageLimit>").await;
    let answer = xml::parse(pulled.body.as_bytes()).unwrap();
    let message = answer.find("NotificationMessage").unwrap();
    assert_eq!(message.text_at(&["Topic"]), Some("tns1:VideoSource/MotionAlarm"));
    let source = message.at(&["Message", "Message", "Source", "SimpleItem"]).unwrap();
    assert_eq!(source.attribute("Value"), Some("vs_gate"));
    assert_eq!(at_path("SetSynchronizationPoint", "").await.status, 200);
    assert_eq!(at_path("Unsubscribe", "").await.status, 200);
    assert_eq!(at_path("Unsubscribe", "").await.status, 400);
}

#[tokio::test]
async fn pictures_need_a_user_too() {
    let device = device(house());
    let asked = Request { method: "GET", path: format!("{SNAPSHOT}p_gate_sub"), ..request(String::new()) };
    assert_eq!(device.snapshot(&asked).unwrap_err().status, 401);
    let challenged = device.snapshot(&asked).unwrap_err();
    let challenge = digest::best([challenged.challenges[0].as_str()]).unwrap();
    let answer = |path: &str, count| {
        let credentials = Credentials { user: "viewer", password: "pass", cnonce: "abc", count };
        digest::answer(&challenge, &credentials, &digest::Asked { method: "GET", uri: path, body: b"" })
    };
    let good = Request { authorization: Some(answer(&asked.path, 1)), ..asked.clone() };
    let (channel, quality) = device.snapshot(&good).unwrap();
    assert_eq!((channel.source.as_str(), quality), ("gate", Quality::Sub));
    let path = format!("{SNAPSHOT}nope");
    let nowhere = Request { authorization: Some(answer(&path, 2)), path, ..asked };
    assert_eq!(device.snapshot(&nowhere).unwrap_err().status, 404);
}
