//! Finding cameras: on both LANs, two hundred at once, by IPv6, and whatever they get wrong.

use std::time::{Duration, Instant};

use h5edge::onvif::discovery::{Found, search};
use serde_json::{Value, json};

use super::{
    cameras::Camera,
    lab::Lab,
    puppet::{Puppet, answer, envelope, matched},
    support::daemon::{Daemon, DaemonOptions},
};

/// What `host` finds in so many seconds, by endpoint.
pub fn look(lab: &Lab, host: &str, seconds: u64) -> Vec<Found> {
    let mut found = lab.enter(host, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(search(Duration::from_secs(seconds))).expect("a search")
    });
    found.sort_by(|one, other| one.endpoint.cmp(&other.endpoint));
    found
}

/// Endpoint and address of the device service.
fn places(found: &[Found]) -> Vec<(String, String)> {
    let place = |device: &Found| {
        let address = format!("{}:{}{}", device.host(), device.port, device.path);
        (device.endpoint.clone(), address)
    };
    found.iter().map(place).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[test]
fn cameras_on_both_lans_are_found_and_each_once() {
    let lab = Lab::new()
        .host("box", &["198.51.100.1", "203.0.113.1"])
        .host("near", &["198.51.100.11"])
        .host("far", &["203.0.113.12"])
        .host("both", &["198.51.100.13", "203.0.113.13"]);
    let near = answer("urn:uuid:near", "", "http://198.51.100.11/onvif/device_service");
    let far = answer("urn:uuid:far", "", "http://203.0.113.12/onvif/device_service");
    let both = "http://198.51.100.13/onvif/device_service http://203.0.113.13/onvif/device_service";
    let both = answer("urn:uuid:both", "", both);
    let _near = Puppet::ipv4(&lab, "near", &["198.51.100.11"], vec![near]);
    let _far = Puppet::ipv4(&lab, "far", &["203.0.113.12"], vec![far]);
    let _both = Puppet::ipv4(&lab, "both", &["198.51.100.13", "203.0.113.13"], vec![both]);

    let found = look(&lab, "box", 3);
    let endpoints: Vec<_> = found.iter().map(|device| device.endpoint.as_str()).collect();
    assert_eq!(endpoints, ["urn:uuid:both", "urn:uuid:far", "urn:uuid:near"]);
    assert!(["198.51.100.13", "203.0.113.13"].contains(&found[0].host().as_str()), "{:?}", found[0]);
    assert_eq!((found[1].host(), found[2].host()), ("203.0.113.12".to_owned(), "198.51.100.11".to_owned()));
}

/// One answers malformed, one with a foreign address, and two hundred at the same moment.
#[test]
fn cameras_that_others_wrote_are_all_found() {
    const FLEET: u16 = 200;
    let lab = Lab::new()
        .host("box", &["198.51.100.1", "203.0.113.1"])
        .host("fleet", &["198.51.100.11"])
        .host("server", &["198.51.100.12"])
        .host("ipycam", &["203.0.113.13"])
        .host("npm", &["203.0.113.14"]);
    let start = |host: &str, camera: &(dyn Fn() -> Camera + Sync)| lab.enter(host, camera);
    let at = |address: &str| address.parse().expect("an address");
    let _cameras = [
        start("fleet", &|| Camera::fleet(at("198.51.100.11"), FLEET)),
        start("server", &|| Camera::onvif_server(at("198.51.100.12"), None)),
        start("ipycam", &|| Camera::ipycam(at("203.0.113.13"))),
        start("npm", &|| Camera::npm_mock(at("203.0.113.14"))),
    ];
    let found = look(&lab, "box", 10);
    let hosts = |host: &str| found.iter().filter(|device| device.host() == host).collect::<Vec<_>>();
    assert_eq!(hosts("198.51.100.11").len(), usize::from(FLEET));
    let one = |host: &str| match hosts(host)[..] {
        [one] => (one.port, one.path.as_str(), one.name.as_str()),
        _ => panic!("{host} among {found:?}"),
    };
    assert_eq!(one("203.0.113.13"), (8080, "/onvif/device_service", "IPy Cam 1"));
    assert_eq!((one("198.51.100.12").0, one("203.0.113.14").0), (8080, 10101));
    let ninth = found.iter().find(|device| device.model == "Fleet-9").expect("one of the fleet");
    assert_eq!((ninth.name.as_str(), ninth.path.as_str()), ("Camera 9 门", "/onvif/device"));
}

#[test]
fn a_host_without_a_network_says_so() {
    let lab = Lab::new().host("box", &[]);
    let failure = lab.enter("box", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(search(Duration::from_secs(1))).unwrap_err()
    });
    assert!(failure.to_string().contains("no network interface"), "{failure}");
}

#[test]
fn what_cameras_get_wrong_is_borne() {
    let lab = Lab::new().host("box", &["198.51.100.1"]).host("odd", &["198.51.100.11"]);
    let whole = answer("urn:uuid:j-halves", "", "http://198.51.100.11:8009/onvif/device_service");
    let (front, back) = whole.split_at(whole.len() / 2);
    let bare = matched("x", "onvif://www.onvif.org/name/IPy Cam 1", "http://198.51.100.11:8001/onvif/a")
        .replace("a:EndpointReference", "d:EndpointReference")
        .replace("a:Address", "d:Address")
        .replace(">x<", ">uuid:b-bare<");
    let lines = "\n onvif://www.onvif.org/name/100%ZZ\n\tonvif://www.onvif.org/hardware/Model%20X\n";
    let wrong_namespaces =
        String::from_utf8(answer("urn:uuid:c-names", lines, "http://198.51.100.11:8002/onvif/b"))
            .expect("text")
            .replace("2005/04/discovery", "2009/01/nonsense")
            .replace("2004/08/addressing", "2005/08/nonsense");
    let undeclared = "<Envelope><Body><x:ProbeMatches><x:ProbeMatch><y:Address>e-undeclared</y:Address>\
         <Types>NetworkVideoTransmitter</Types><XAddrs>http://198.51.100.11:8003/onvif/c</XAddrs>\
         </x:ProbeMatch></x:ProbeMatches></Body></Envelope>";
    let mixed =
        "http://[fe80::5%25eth1]/onvif/d http://[2001:db8::1]/onvif/d http://198.51.100.11:8004/onvif/d";
    let printer = "<Envelope xmlns:wsdp=\"http://schemas.xmlsoap.org/ws/2006/02/devprof\"><Body><ProbeMatches>\
         <ProbeMatch><Address>urn:uuid:printer</Address><Types>wsdp:Device wprt:PrintDeviceType</Types>\
         <XAddrs>http://198.51.100.11:5357/1</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>";
    let answers = vec![
        // An address that leads nowhere: the one that it answered from, and its port.
        answer("urn:uuid:a-foreign", "", "http://192.168.68.111:10101/onvif/device_service"),
        envelope(&bare),
        wrong_namespaces.into_bytes(),
        answer("D-MIXED", "", mixed),
        undeclared.as_bytes().to_vec(),
        answer("urn:uuid:f-zero", "", "http://0.0.0.0:8005/onvif/e"),
        answer("urn:uuid:g-name", "", "http://camera.example:8006/"),
        answer("urn:uuid:h-none", "onvif://www.onvif.org/type/video_encoder", ""),
        answer("urn:uuid:i-tls", "", "https://198.51.100.11/onvif/f"),
        front.to_vec(),
        back.to_vec(),
        printer.as_bytes().to_vec(),
        b"not XML at all".to_vec(),
        vec![0xff; 9000],
        Vec::new(),
    ];
    let _odd = Puppet::ipv4(&lab, "odd", &["198.51.100.11"], answers);

    let found = look(&lab, "box", 3);
    let expected = [
        ("D-MIXED", "198.51.100.11:8004/onvif/d"),
        ("e-undeclared", "198.51.100.11:8003/onvif/c"),
        ("urn:uuid:a-foreign", "198.51.100.11:10101/onvif/device_service"),
        ("urn:uuid:c-names", "198.51.100.11:8002/onvif/b"),
        ("urn:uuid:f-zero", "198.51.100.11:8005/onvif/e"),
        ("urn:uuid:g-name", "198.51.100.11:8006/onvif/device_service"),
        ("urn:uuid:h-none", "198.51.100.11:80/onvif/device_service"),
        ("urn:uuid:i-tls", "198.51.100.11:443/onvif/f"),
        ("urn:uuid:j-halves", "198.51.100.11:8009/onvif/device_service"),
        ("uuid:b-bare", "198.51.100.11:8001/onvif/a"),
    ];
    assert_eq!(places(&found), pairs(&expected));
    let by = |endpoint: &str| found.iter().find(|device| device.endpoint == endpoint).expect("found");
    assert_eq!(
        (by("uuid:b-bare").name.as_str(), by("uuid:b-bare").model.as_str()),
        ("IPy Cam 1", "IPy Cam 1")
    );
    let names = by("urn:uuid:c-names");
    assert_eq!((names.name.as_str(), names.model.as_str()), ("100%ZZ", "Model X"));
    assert!(by("urn:uuid:i-tls").https && !by("urn:uuid:f-zero").https);
}

#[test]
fn an_answer_by_ipv6_alone_comes_with_its_interface() {
    let lab = Lab::new().host("box", &["198.51.100.1"]).host("six", &["2001:db8:100::16"]);
    // The second host of the lab.
    let own = answer("urn:uuid:six", "", "http://[fe80::2]:8080/onvif/device_service");
    let _six = Puppet::ipv6(&lab, "six", vec![own]);
    let found = look(&lab, "box", 3);
    assert_eq!(places(&found), pairs(&[("urn:uuid:six", "fe80::2%eth0:8080/onvif/device_service")]));
}

#[test]
fn a_changing_endpoint_at_one_address_is_one_device() {
    let lab = Lab::new().host("box", &["198.51.100.1"]).host("odd", &["198.51.100.11"]);
    let new =
        |number: u32| answer(&format!("urn:uuid:{number}"), "", "http://198.51.100.11/onvif/device_service");
    let _odd = Puppet::ipv4(&lab, "odd", &["198.51.100.11"], (0..5).map(new).collect());
    assert_eq!(look(&lab, "box", 2).len(), 1);
}

/// Also the figure: processor time of the daemon while it searches among two hundred cameras.
#[test]
fn two_hundred_that_answer_at_once_are_all_listed_by_the_api() {
    const CAMERAS: u16 = 200;
    let lab = Lab::new().host("box", &["198.51.100.1"]).host("cameras", &["198.51.100.11"]);
    let camera = |number: u16| {
        let mut scopes: Vec<_> =
            (0..20).map(|more| format!("onvif://www.onvif.org/Profile/Invented{more:02}")).collect();
        scopes.push(format!("onvif://www.onvif.org/hardware/Model%20{number}"));
        let xaddr = format!("http://198.51.100.11:{}/onvif/device_service", 18_080 + number);
        answer(&format!("urn:uuid:00000000-0000-4000-8000-{number:012}"), &scopes.join(" "), &xaddr)
    };
    let _cameras = Puppet::ipv4(&lab, "cameras", &["198.51.100.11"], (0..CAMERAS).map(camera).collect());

    lab.enter("box", || {
        let mut daemon = Daemon::start(DaemonOptions::default());
        daemon.login();
        let (asked, before) = (Instant::now(), daemon.cpu_seconds());
        // The manual's sample.
        let answer = daemon.api_ok("OnvifSearch", &[("timeout", "10")]);
        let (took, spent) = (asked.elapsed(), daemon.cpu_seconds() - before);
        let devices = answer["device"].as_array().expect("devices");
        eprintln!("{} cameras in {took:.1?}, {spent:.2} s of processor time", devices.len());
        assert_eq!(devices.len(), usize::from(CAMERAS));
        assert!((10.0..14.0).contains(&took.as_secs_f64()), "{took:?}");
        assert!(spent < 5.0, "{spent} s of processor time in 10 s");
        let last = devices.iter().find(|device| device["strPort"] == "18279").expect("the last camera");
        let expected = json!({
            "strIp": "198.51.100.11",
            "strPort": "18279",
            "strOnvifAddr": "/onvif/device_service",
            "strModel": "Model 199",
            "strName": "",
            "strEndpoint": "urn:uuid:00000000-0000-4000-8000-000000000199",
            "bHttps": false,
            "bAdded": false,
        });
        assert_eq!(*last, expected);

        let refused = |timeout: &str, text: &str| {
            let (_, answer) = daemon.api("OnvifSearch", &[("timeout", timeout)]);
            assert_eq!(answer["bStatus"], Value::Bool(false), "{answer}");
            assert!(answer["strCode"].as_str().is_some_and(|code| code.contains(text)), "{answer}");
        };
        refused("0", "parameter timeout");
        refused("61", "parameter timeout");
        refused("soon", "parameter timeout");
        let (_, answer) = daemon.api("OnvifSearch", &[("timeout", "1"), ("servertoken", "x")]);
        assert!(answer["strCode"].as_str().is_some_and(|code| code.contains("servertoken")), "{answer}");
    });
}
