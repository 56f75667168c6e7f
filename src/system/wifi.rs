//! Which wireless networks there are, from wpa_supplicant over its control socket: datagrams of text, one for
//! an order and one for its answer, and those that start with `<` for events. The same in every
//! distribution, and no other program is needed.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::render::network;
use super::root::{RUN, Root};
use super::{check, ports, units};
use crate::base::{Error, Result};

/// Where wpa_supplicant has its sockets.
pub const CONTROL: &str = "/run/wpa_supplicant";

/// A scan takes 2 to 6 seconds.
const PATIENCE: Duration = Duration::from_secs(12);
/// For the answer to an order, and for wpa_supplicant to come up.
const ANSWER: Duration = Duration::from_secs(2);
const START: Duration = Duration::from_secs(5);
/// Longest datagram that is read; wpa_supplicant's own limit is 4 KiB.
const MAX_DATAGRAM: usize = 16 * 1024;
/// Most networks that are told.
const MAX_FOUND: usize = 64;

/// A network in reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub ssid: String,
    /// In dBm: -30 is next to it, -90 is hardly there.
    pub signal: i32,
    pub secured: bool,
}

/// Looks around on `interface`. Each network is told once, the strongest first.
///
/// # Errors
/// Names the parameter; `Timeout`; `Refused` where wpa_supplicant will not.
pub fn scan(root: &Root, interface: &str) -> Result<Vec<Found>> {
    check::interface("interface", interface)?;
    ports::find(root, interface)?;
    if !ports::is_wireless(root, interface) {
        return Err(Error::bad_input(format!("parameter interface: {interface} is not wireless")));
    }
    let socket = format!("{CONTROL}/{interface}");
    if root.has(&socket) {
        return look(root, &socket);
    }
    let (unit, settings) = (format!("wpa_supplicant@{interface}.service"), network::supplicant(interface));
    let idle = !root.has(&settings);
    if idle {
        root.put(&settings, &network::idle_supplicant(), 0o600)?;
    }
    let found = units::tell(root, "start", &unit).and_then(|()| {
        let deadline = Instant::now() + START;
        while !root.has(&socket) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        look(root, &socket)
    });
    if idle {
        // Nothing is joined: it ran for this look only.
        let stopped = units::tell(root, "stop", &unit);
        if let Err(error) = root.remove(&settings).and(stopped) {
            tracing::warn!("after a look for wireless networks: {error}");
        }
    }
    found
}

fn look(root: &Root, socket: &str) -> Result<Vec<Found>> {
    let own = root.at(&format!("{RUN}/wifi-client"));
    root.remove(&format!("{RUN}/wifi-client"))?;
    let found = UnixDatagram::bind(&own).map_err(Error::from).and_then(|client| {
        client.connect(root.at(socket)).map_err(|error| Error::from(error).context("wpa_supplicant"))?;
        Talk { client }.scan()
    });
    root.remove(&format!("{RUN}/wifi-client"))?;
    found
}

struct Talk {
    client: UnixDatagram,
}

impl Talk {
    fn scan(&self) -> Result<Vec<Found>> {
        self.order("ATTACH")?;
        // Busy: another scan runs, whose end serves us too.
        match self.order("SCAN")?.trim() {
            "OK" | "FAIL-BUSY" => {}
            other => return Err(Error::refused(format!("wpa_supplicant does not scan: {other:.40}"))),
        }
        let ended = |text: &str| text.starts_with('<') && text.contains("CTRL-EVENT-SCAN-RESULTS");
        self.wait(PATIENCE, ended)?;
        Ok(parse(&self.order("SCAN_RESULTS")?))
    }

    fn order(&self, text: &str) -> Result<String> {
        self.client.send(text.as_bytes()).map_err(|error| Error::from(error).context("wpa_supplicant"))?;
        self.wait(ANSWER, |answer| !answer.starts_with('<'))
    }

    /// The first datagram that is `wanted`.
    fn wait(&self, patience: Duration, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let deadline = Instant::now() + patience;
        let late = || Error::timeout("wpa_supplicant does not answer");
        let mut datagram = vec![0; MAX_DATAGRAM];
        loop {
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
            self.client.set_read_timeout(Some(left.ok_or_else(late)?))?;
            let length = match self.client.recv(&mut datagram) {
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Err(late()),
                Err(error) => return Err(Error::from(error).context("wpa_supplicant")),
            };
            let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
            if wanted(&text) {
                return Ok(text);
            }
        }
    }
}

/// A head, then lines of `bssid / frequency / signal level / flags / ssid` with tabs between.
fn parse(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for line in text.lines().skip(1) {
        let mut parts = line.splitn(5, '\t').skip(2);
        let (Some(signal), Some(flags), Some(ssid)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (Some(ssid), Ok(signal)) = (plain(ssid), signal.parse()) else { continue };
        let secured = ["WPA", "RSN", "WEP", "SAE"].iter().any(|kind| flags.contains(kind));
        // One network may have many stations.
        match found.iter().position(|known| known.ssid == ssid) {
            Some(at) => found[at].signal = found[at].signal.max(signal),
            None if found.len() < MAX_FOUND => found.push(Found { ssid, signal, secured }),
            None => {}
        }
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.signal));
    found
}

/// The name that wpa_supplicant wrote with `\"`, `\\`, `\e`, `\n`, `\r`, `\t` and `\xHH`; `None` for a hidden
/// network, and for a name that is no text.
fn plain(written: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = written.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (code, behind) = rest.split_first()?;
        rest = behind;
        bytes.push(match code {
            b'x' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                rest = behind;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            b'e' => 0x1b,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            other => *other,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests;
