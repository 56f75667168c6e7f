//! Being found: our responder, asked from other hosts.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::Command,
    time::{Duration, Instant},
};

use h5edge::onvif::discovery::{Identity, Responder};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::watch};
use tokio_util::sync::CancellationToken;

use super::{
    cameras::{installed, peers},
    lab::Lab,
    search::look,
    support::daemon::{Daemon, DaemonOptions},
    support::wait_for,
};

const ENDPOINT: &str = "urn:uuid:4d454930-0000-1000-8000-020000000001";
const PATIENCE: Duration = Duration::from_secs(30);

fn identity(metadata_version: u32) -> Identity {
    Identity {
        endpoint: ENDPOINT.to_owned(),
        scopes: vec![
            "onvif://www.onvif.org/type/video_encoder".to_owned(),
            "onvif://www.onvif.org/hardware/h5edge".to_owned(),
            "onvif://www.onvif.org/name/North%20gate".to_owned(),
        ],
        http: "0.0.0.0:8080".parse().expect("an address"),
        path: "/onvif/device_service".to_owned(),
        metadata_version,
    }
}

/// The responder on the host `box`, with its runtime there.
struct Device {
    runtime: Runtime,
    responder: Option<Responder>,
    known_as: watch::Sender<Option<Identity>>,
    shutdown: CancellationToken,
}

impl Device {
    fn start(lab: &Lab) -> Self {
        let (known_as, identity) = watch::channel(Some(identity(1)));
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        lab.enter("box", || {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
            let inside = runtime.enter();
            let responder = Responder::start(identity, stop).expect("a responder");
            drop(inside);
            Self { runtime, responder: Some(responder), known_as, shutdown }
        })
    }

    fn stop(&mut self) {
        self.shutdown.cancel();
        let responder = self.responder.take().expect("a running responder");
        self.runtime.block_on(responder.stopped());
    }
}

fn lab() -> Lab {
    Lab::new()
        .host("box", &["198.51.100.1", "203.0.113.1"])
        .host("near", &["198.51.100.11"])
        .host("far", &["203.0.113.11"])
}

/// A socket of `host` that hears what is said to the group.
fn listener(lab: &Lab, host: &str, own: &str) -> UdpSocket {
    lab.enter(host, || {
        let socket = UdpSocket::bind("0.0.0.0:3702").expect("port 3702");
        let own = own.parse().expect("an address");
        socket.join_multicast_v4(&Ipv4Addr::new(239, 255, 255, 250), &own).expect("the group");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket
    })
}

fn hear(socket: &UdpSocket) -> io::Result<(String, SocketAddr)> {
    let mut buffer = [0; 4096];
    let (length, from) = socket.recv_from(&mut buffer)?;
    Ok((String::from_utf8_lossy(&buffer[..length]).into_owned(), from))
}

/// The next message of this kind.
fn hear_of(socket: &UdpSocket, action: &str) -> (String, SocketAddr) {
    loop {
        let (text, from) = hear(socket).unwrap_or_else(|error| panic!("no {action}: {error}"));
        if text.contains(&format!("discovery/{action}</")) {
            return (text, from);
        }
    }
}

fn question(id: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">\
         <s:Header><a:MessageID>{id}</a:MessageID></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// A socket of `host` for unicast, bound to `own`.
fn asker(lab: &Lab, host: &str, own: &str) -> UdpSocket {
    let socket = lab.enter(host, || UdpSocket::bind((own, 0)).expect("a socket"));
    socket.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    socket
}

#[test]
fn we_are_found_on_both_lans_with_the_address_there() {
    let lab = lab();
    let mut device = Device::start(&lab);
    for (host, address) in [("near", "198.51.100.1"), ("far", "203.0.113.1")] {
        let found = look(&lab, host, 3);
        assert_eq!(found.len(), 1, "{host}: {found:?}");
        let seen = &found[0];
        assert_eq!((seen.endpoint.as_str(), seen.host()), (ENDPOINT, address.to_owned()));
        assert_eq!((seen.port, seen.path.as_str()), (8080, "/onvif/device_service"));
        assert_eq!((seen.model.as_str(), seen.name.as_str()), ("h5edge", "North gate"));
    }
    device.stop();
    assert_eq!(look(&lab, "near", 1), []);
}

#[test]
fn wsdiscovery_finds_us_by_type_and_without() {
    let lab = lab();
    let _device = Device::start(&lab);
    let output = lab.enter("far", || {
        let mut command = Command::new(installed("python/tools/bin/python"));
        command.arg(peers().join("clients/wsd.py")).args(["203.0.113.1", "8080", "", "", "203.0.113.11"]);
        command.output().expect("WSDiscovery")
    });
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let ours = json!([[ENDPOINT, "http://203.0.113.1:8080/onvif/device_service"]]);
    assert_eq!((&report["discover"], &report["discover_any"]), (&ours, &ours));
}

#[test]
fn a_network_that_comes_later_is_served_as_well() {
    let lab = Lab::new().host("box", &["198.51.100.1"]).host("far", &["203.0.113.11"]);
    let _device = Device::start(&lab);
    assert_eq!(look(&lab, "far", 1), []);
    lab.plug("box", "eth1", "203.0.113.1");
    let found = wait_for("to be found on the new network", PATIENCE, || look(&lab, "far", 1).pop());
    assert_eq!(found.host(), "203.0.113.1");
    // Away and back again, as when a cable is changed.
    lab.unplug("box", "eth1");
    wait_for("to be gone", PATIENCE, || look(&lab, "far", 1).is_empty().then_some(()));
    lab.plug("box", "eth1", "203.0.113.2");
    let found = wait_for("to be found again", PATIENCE, || look(&lab, "far", 1).pop());
    assert_eq!(found.host(), "203.0.113.2");
}

#[test]
fn unicast_questions_are_answered_at_once_and_only_if_they_mean_us() {
    let lab = lab();
    let _device = Device::start(&lab);
    let socket = asker(&lab, "near", "198.51.100.11");
    let ask = |id: &str, body: &str| {
        socket.send_to(question(id, body).as_bytes(), "198.51.100.1:3702").expect("sent");
    };
    // Not before the responder has looked at its interfaces.
    wait_for("an answer", PATIENCE, || {
        ask("urn:uuid:first", "<d:Probe/>");
        hear(&socket).ok()
    });
    ask("urn:uuid:display", "<d:Probe><d:Types>dn:NetworkVideoDisplay</d:Types></d:Probe>");
    ask("urn:uuid:scope", "<d:Probe><d:Scopes>onvif://www.onvif.org/name/South</d:Scopes></d:Probe>");
    let resolve = |endpoint: &str| {
        format!(
            "<d:Resolve><a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference></d:Resolve>"
        )
    };
    ask("urn:uuid:other", &resolve("urn:uuid:other"));
    ask("urn:uuid:resolve", &resolve(ENDPOINT));
    let types =
        "<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name</d:Scopes>";
    ask("urn:uuid:probe", &format!("<d:Probe>{types}</d:Probe>"));

    let (text, from) = hear(&socket).expect("an answer to the Resolve");
    assert!(
        text.contains("RelatesTo>urn:uuid:resolve<") && text.contains("discovery/ResolveMatches<"),
        "{text}"
    );
    assert_eq!(from, "198.51.100.1:3702".parse().expect("an address"));
    let (text, _) = hear(&socket).expect("an answer to the Probe");
    assert!(text.contains("RelatesTo>urn:uuid:probe<") && text.contains("discovery/ProbeMatches<"), "{text}");
    assert!(text.contains("XAddrs>http://198.51.100.1:8080/onvif/device_service<"), "{text}");
    assert!(hear(&socket).is_err(), "an answer too many");
}

#[test]
fn hello_and_bye_say_when_we_come_change_and_go() {
    let lab = lab();
    let (near, far) = (listener(&lab, "near", "198.51.100.11"), listener(&lab, "far", "203.0.113.11"));
    let mut device = Device::start(&lab);
    for (socket, own) in [(&near, "198.51.100.1"), (&far, "203.0.113.1")] {
        let (text, from) = hear_of(socket, "Hello");
        assert_eq!(from, SocketAddr::new(own.parse().expect("an address"), 3702));
        assert!(text.contains(&format!("XAddrs>http://{own}:8080/")) && text.contains(ENDPOINT), "{text}");
        assert!(text.contains("MetadataVersion>1<"), "{text}");
    }
    device.known_as.send_replace(Some(identity(2)));
    assert!(hear_of(&near, "Hello").0.contains("MetadataVersion>2<"));
    // The switch: not to be found any more.
    device.known_as.send_replace(None);
    assert!(hear_of(&near, "Bye").0.contains(ENDPOINT));
    assert_eq!(look(&lab, "far", 2), []);
    device.known_as.send_replace(Some(identity(3)));
    assert!(hear_of(&near, "Hello").0.contains("MetadataVersion>3<"));
    assert_eq!(look(&lab, "far", 3).len(), 1);
    device.stop();
    assert!(hear_of(&near, "Bye").0.contains(ENDPOINT));
}

#[test]
fn a_flood_is_answered_at_a_bounded_rate_and_others_still_find_us() {
    let lab = lab();
    let _device = Device::start(&lab);
    assert_eq!(look(&lab, "near", 3).len(), 1, "before");
    let socket = asker(&lab, "near", "198.51.100.11");
    socket.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
    let probe = question("urn:uuid:flood", "<d:Probe/>");
    let began = Instant::now();
    let mut answers = 0;
    while began.elapsed() < Duration::from_secs(3) {
        socket.send_to(probe.as_bytes(), "198.51.100.1:3702").expect("sent");
        answers += usize::from(hear(&socket).is_ok());
    }
    // Twenty in one go and five a second.
    assert!((10..=20 + 5 * 4).contains(&answers), "{answers} answers");
    assert_eq!(look(&lab, "far", 3).len(), 1, "from elsewhere");
}

#[test]
fn who_is_not_on_the_wire_gets_no_answer() {
    let lab = lab();
    let _device = Device::start(&lab);
    lab.address("near", "eth0", "192.0.2.5");
    let (here, elsewhere) = (asker(&lab, "near", "198.51.100.11"), asker(&lab, "near", "192.0.2.5"));
    let probe = question("urn:uuid:probe", "<d:Probe/>");
    wait_for("an answer", PATIENCE, || {
        here.send_to(probe.as_bytes(), "198.51.100.1:3702").expect("sent");
        hear(&here).ok()
    });
    elsewhere.send_to(probe.as_bytes(), "198.51.100.1:3702").expect("sent");
    assert!(hear(&elsewhere).is_err());
}

/// The daemon as a whole: its switch, its addresses, and that it is no camera for itself.
#[test]
fn the_daemon_is_found_while_its_switch_says_so_and_does_not_find_itself() {
    let lab = lab();
    let config = "[http]\nbind = \"0.0.0.0\"\n[onvif]\ndevice = true\nname = \"Gate house\"\n";
    let daemon = lab.enter("box", || {
        let mut daemon = Daemon::start(DaemonOptions { config: config.into(), ..DaemonOptions::default() });
        daemon.login();
        daemon
    });
    let switch = |to: (&str, &str)| lab.enter("box", || drop(daemon.api_ok("SetOnvifDevice", &[to])));
    for (host, address) in [("near", "198.51.100.1"), ("far", "203.0.113.1")] {
        let found = look(&lab, host, 3);
        assert_eq!(found.len(), 1, "{host}: {found:?}");
        assert_eq!((found[0].host(), found[0].port), (address.to_owned(), daemon.http));
        assert_eq!((found[0].name.as_str(), found[0].path.as_str()), ("Gate house", "/onvif/device_service"));
    }
    let own = lab.enter("box", || daemon.api_ok("OnvifSearch", &[("timeout", "3")]));
    assert_eq!(own["device"], serde_json::json!([]), "{own}");

    let near = listener(&lab, "near", "198.51.100.11");
    switch(("discovery", "false"));
    hear_of(&near, "Bye");
    drop(near);
    assert_eq!(look(&lab, "near", 1), []);
    let near = listener(&lab, "near", "198.51.100.11");
    switch(("discovery", "true"));
    hear_of(&near, "Hello");
    switch(("enable", "false"));
    hear_of(&near, "Bye");
}
