use std::fs;

use proptest::prelude::*;

use super::super::root::rehearsal::Rehearsal;
use super::*;

const RESULTS: &str = "bssid / frequency / signal level / flags / ssid\n\
    02:00:00:00:00:10\t2412\t-70\t[WPA2-PSK-CCMP][ESS]\tHome\n\
    02:00:00:00:00:11\t5180\t-45\t[WPA2-PSK-CCMP][WPS][ESS]\tHome\n\
    02:00:00:00:00:12\t2412\t-60\t[ESS]\tB\\xc3\\xbcro \\\"1\\\" \\\\\n\
    02:00:00:00:00:13\t2412\t-20\t[WPA2-SAE-CCMP][ESS]\t\n\
    02:00:00:00:00:14\t2412\t-30\t[RSN-SAE-CCMP][ESS]\tnew\tname\n\
    nonsense\n";

fn found(ssid: &str, signal: i32, secured: bool) -> Found {
    Found { ssid: ssid.to_owned(), signal, secured }
}

#[test]
fn results_are_read() {
    let expected = [found("Home", -45, true), found("Büro \"1\" \\", -60, false)];
    assert_eq!(parse(RESULTS), expected, "hidden ones and names with control characters are left out");
    assert!(parse("").is_empty());
}

/// A wpa_supplicant at the socket of `wlan0`; what it was asked.
fn supplicant(it: &Rehearsal, answers: &'static [(&str, &[&str])]) -> std::thread::JoinHandle<Vec<String>> {
    let path = it.root.at("/run/wpa_supplicant/wlan0");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir_all(it.root.at(RUN)).unwrap();
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    std::thread::spawn(move || {
        let mut asked = Vec::new();
        let mut buffer = [0; 100];
        while asked.len() < answers.len() {
            let (length, client) = socket.recv_from(&mut buffer).unwrap();
            let order = String::from_utf8(buffer[..length].to_vec()).unwrap();
            let (_, told) = answers.iter().find(|(known, _)| *known == order).unwrap();
            for text in *told {
                socket.send_to(text.as_bytes(), client.as_pathname().unwrap()).unwrap();
            }
            asked.push(order);
        }
        asked
    })
}

#[test]
fn a_scan_waits_for_its_end() {
    let it = Rehearsal::new();
    let talk = supplicant(
        &it,
        &[
            ("ATTACH", &["OK\n"]),
            ("SCAN", &["<3>CTRL-EVENT-SCAN-STARTED ", "OK\n", "<3>CTRL-EVENT-SCAN-RESULTS "]),
            ("SCAN_RESULTS", &[RESULTS]),
        ],
    );
    assert_eq!(scan(&it.root, "wlan0").unwrap().len(), 2);
    assert_eq!(talk.join().unwrap(), ["ATTACH", "SCAN", "SCAN_RESULTS"]);
    assert!(!it.root.has("/run/h5edge-system/wifi-client"));
}

#[test]
fn a_scan_that_cannot_be_says_so() {
    let it = Rehearsal::new();
    for (interface, text) in [
        ("eth0", "parameter interface: eth0 is not wireless"),
        ("eth9", "parameter interface: there is no interface eth9"),
        ("", "parameter interface is not the name of an interface"),
        ("wlan0", "systemctl is not installed"),
    ] {
        assert_eq!(scan(&it.root, interface).unwrap_err().to_string(), text);
    }
    assert!(!it.root.has("/run/h5edge-system/wpa_supplicant-wlan0.conf"), "removed after the look");
    let talk = supplicant(&it, &[("ATTACH", &["OK\n"]), ("SCAN", &["FAIL\n"])]);
    assert_eq!(scan(&it.root, "wlan0").unwrap_err().to_string(), "wpa_supplicant does not scan: FAIL");
    talk.join().unwrap();
}

proptest! {
    #[test]
    fn no_answer_is_too_odd(text in any::<String>(), ssid in r"[\\xenrt0-9a-f\PC]{0,20}") {
        parse(&text);
        parse(&format!("head\na\t1\t-1\t[ESS]\t{ssid}\n"));
    }
}
