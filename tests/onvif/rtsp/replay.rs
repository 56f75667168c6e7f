//! A recorder that plays over TCP as the ONVIF Streaming Specification, chapter 6, has it, and reads the
//! time of each picture from the header extension 0xABAC.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use super::site::{authorization, exchange, status_of};

/// From 1900 to 1970, in seconds.
const NTP_EPOCH: i64 = 2_208_988_800;
const PATIENCE: Duration = Duration::from_secs(20);

/// Recorded times of all pictures from `from` on, in milliseconds since 1970.
pub fn play(port: u16, path: &str, from: i64, headers: &[&str]) -> Vec<i64> {
    let (mut stream, answer) = begin(port, path, from, headers);
    assert_eq!(status_of(&answer), 200, "{answer}");
    let mut stamps = Vec::new();
    loop {
        let mut head = [0; 4];
        if stream.read_exact(&mut head).is_err() {
            panic!("no end of the recording after {stamps:?}");
        }
        assert_eq!(head[0], b'$', "{answer}");
        let mut packet = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
        stream.read_exact(&mut packet).expect("a whole packet");
        match head[1] {
            0 => {
                let stamp = recorded(&packet).expect("each packet has its time");
                if stamps.last() != Some(&stamp) {
                    stamps.push(stamp);
                }
            }
            // RTCP BYE ends it.
            _ if is_bye(&packet) => return stamps,
            _ => {}
        }
    }
}

/// What PLAY is answered.
pub fn status(port: u16, path: &str, from: i64, headers: &[&str]) -> u16 {
    status_of(&begin(port, path, from, headers).1)
}

fn begin(port: u16, path: &str, from: i64, headers: &[&str]) -> (TcpStream, String) {
    let clock = jiff::Timestamp::from_millisecond(from).unwrap().strftime("%Y%m%dT%H%M%S%.3fZ");
    let mut more = format!("Range: clock={clock}-\r\n");
    headers.iter().for_each(|header| more += &format!("{header}\r\n"));
    watch(port, path, "Require: onvif-replay\r\n", &more)
}

/// A connection that plays, and the answer to its PLAY. `require` goes with each request, `range` with
/// PLAY.
pub fn watch(port: u16, path: &str, require: &str, range: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("rtsp://127.0.0.1:{port}{path}");
    let challenge = exchange(&mut stream, "DESCRIBE", &url, 1, require);
    let login =
        |method: &str, url: &str| authorization(&challenge, "viewer", "secret", method, url) + require;
    let described = exchange(&mut stream, "DESCRIBE", &url, 2, &login("DESCRIBE", &url));
    let length: usize = field(&described, "Content-Length").parse().unwrap();
    stream.read_exact(&mut vec![0; length]).unwrap();
    let track = format!("{url}/stream=0");
    let more = login("SETUP", &track) + "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    let setup = exchange(&mut stream, "SETUP", &track, 3, &more);
    let session = field(&setup, "Session").split(';').next().unwrap().to_owned();
    let more = login("PLAY", &url) + &format!("Session: {session}\r\n{range}");
    let played = exchange(&mut stream, "PLAY", &url, 4, &more);
    (stream, played)
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {head}")).trim()
}

/// NTP time of the header extension.
fn recorded(packet: &[u8]) -> Option<i64> {
    let word = |at: usize| Some(u32::from_be_bytes(packet.get(at..at + 4)?.try_into().ok()?));
    let at = 12 + 4 * usize::from(packet[0] & 15);
    if packet[0] & 16 == 0 || word(at)? >> 16 != 0xABAC {
        return None;
    }
    let (seconds, fraction) = (i64::from(word(at + 4)?), i64::from(word(at + 8)?));
    Some((seconds - NTP_EPOCH) * 1000 + ((fraction * 1000) >> 32))
}

fn is_bye(mut compound: &[u8]) -> bool {
    while compound.len() >= 4 {
        if compound[1] == 203 {
            return true;
        }
        let length = 4 * (usize::from(u16::from_be_bytes([compound[2], compound[3]])) + 1);
        compound = compound.get(length..).unwrap_or_default();
    }
    false
}
