//! A device that says to every Probe what the test wants it to say, byte for byte: for what real
//! cameras get wrong, and other people's simulators do not.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::lab::Lab;

/// How long the thread listens before it looks whether it is to end.
const BEAT: Duration = Duration::from_millis(50);

/// The thread of the device; it ends with this.
pub struct Puppet {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Puppet {
    /// Listens on each IPv4 address of `host` that is given; answers each Probe with all `answers`, from
    /// another port than that of discovery.
    pub fn ipv4(lab: &Lab, host: &str, addresses: &[&str], answers: Vec<Vec<u8>>) -> Self {
        let (ears, mouth) = lab.enter(host, || {
            let ears = UdpSocket::bind("0.0.0.0:3702").expect("port 3702");
            for address in addresses {
                let own = address.parse().expect("an address");
                ears.join_multicast_v4(&Ipv4Addr::new(239, 255, 255, 250), &own).expect("the group");
            }
            (ears, UdpSocket::bind("0.0.0.0:0").expect("a port"))
        });
        Self::start(ears, mouth, answers)
    }

    /// The same over IPv6, on `eth0`, from the port of discovery.
    pub fn ipv6(lab: &Lab, host: &str, answers: Vec<Vec<u8>>) -> Self {
        let ears = lab.enter(host, || {
            let index = nix::net::if_::if_nametoindex("eth0").expect("eth0");
            let ears = UdpSocket::bind("[::]:3702").expect("port 3702");
            ears.join_multicast_v6(&"ff02::c".parse().expect("an address"), index).expect("the group");
            ears
        });
        let mouth = ears.try_clone().expect("the socket again");
        Self::start(ears, mouth, answers)
    }

    fn start(ears: UdpSocket, mouth: UdpSocket, answers: Vec<Vec<u8>>) -> Self {
        ears.set_read_timeout(Some(BEAT)).expect("a timeout");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(asker) = probe(&ears) {
                    for answer in &answers {
                        // A full queue of the kernel loses it, as the wire would.
                        let _ = mouth.send_to(answer, asker);
                    }
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

/// Who asks, if somebody does within a beat.
fn probe(ears: &UdpSocket) -> Option<SocketAddr> {
    let mut buffer = [0; 4096];
    let (length, from) = ears.recv_from(&mut buffer).ok()?;
    String::from_utf8_lossy(&buffer[..length]).contains("Probe>").then_some(from)
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A proper answer of a camera.
pub fn answer(endpoint: &str, scopes: &str, xaddrs: &str) -> Vec<u8> {
    envelope(&format!("<d:ProbeMatches>{}</d:ProbeMatches>", matched(endpoint, scopes, xaddrs)))
}

/// One device of an answer.
pub fn matched(endpoint: &str, scopes: &str, xaddrs: &str) -> String {
    format!(
        "<d:ProbeMatch><a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference>\
         <d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{scopes}</d:Scopes>\
         <d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>"
    )
}

/// `body` in an envelope that declares the usual prefixes.
pub fn envelope(body: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><s:Header>\
         <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
    .into_bytes()
}
