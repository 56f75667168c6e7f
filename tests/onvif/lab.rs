//! A network of our own for a test: hosts on one or two LANs, each a network namespace with its own
//! interfaces, so that multicast goes where it would on a site and nothing leaves the machine.
//!
//! Needs root and `ip` (iproute2). The namespaces of a [`Lab`] go with it; those that a killed run
//! left behind are removed by the next one, and cannot clash with its names meanwhile.

use std::{
    fs,
    net::IpAddr,
    process::Command,
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
};

/// In front of the names of all namespaces; the process id and the number of the lab follow.
const PREFIX: &str = "h5lab";
/// Where `ip netns` keeps them.
const NAMESPACES: &str = "/run/netns";

/// Two bridged LANs and the hosts on them.
pub struct Lab {
    /// In front of the names of its namespaces.
    name: String,
    hosts: Vec<String>,
}

impl Lab {
    /// A lab without hosts.
    pub fn new() -> Self {
        static SWEPT: Once = Once::new();
        static LABS: AtomicUsize = AtomicUsize::new(0);
        SWEPT.call_once(sweep);
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let lab = Self { name: format!("{PREFIX}-{}-{number}", std::process::id()), hosts: Vec::new() };
        for lan in Lan::ALL {
            let switch = lab.namespace(lan.switch());
            ip(&["netns", "add", &switch]);
            ip(&["-n", &switch, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0"]);
            ip(&["-n", &switch, "link", "set", "br0", "up"]);
        }
        lab
    }

    /// Adds a host with an interface (`eth0`, `eth1`, …) for each address: 198.51.100.0/24 and
    /// 2001:db8:100::/64 are the one LAN, 203.0.113.0/24 and 2001:db8:203::/64 the other. Multicast and
    /// unknown addresses go out by `eth0`. Each interface has a link-local address as well.
    #[must_use]
    pub fn host(mut self, host: &str, addresses: &[&str]) -> Self {
        let namespace = self.namespace(host);
        ip(&["netns", "add", &namespace]);
        ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        self.hosts.push(host.to_owned());
        for (index, address) in addresses.iter().enumerate() {
            self.plug(host, &format!("eth{index}"), address);
        }
        if addresses.first().is_some_and(|address| !address.contains(':')) {
            ip(&["-n", &namespace, "route", "add", "default", "dev", "eth0"]);
        }
        self
    }

    /// Adds the interface `device` with `address` to a host, as [`Lab::host`] does; also while things
    /// run there.
    pub fn plug(&self, host: &str, device: &str, address: &str) {
        let (namespace, lan) = (self.namespace(host), Lan::of(address));
        let switch = self.namespace(lan.switch());
        let place = self.hosts.iter().position(|known| known == host).expect("a host of this lab");
        let port = format!("p{place}{device}");
        let peer = ["type", "veth", "peer", "name", device, "netns", &namespace];
        ip(&[&["link", "add", "name", &port, "netns", &switch], peer.as_slice()].concat());
        ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]);
        // Our own link-local address: the kernel's would be tentative, and so unusable, for seconds.
        ip(&["-n", &namespace, "link", "set", device, "addrgenmode", "none", "up"]);
        let local = format!("fe80::{:x}/64", place + 1);
        ip(&["-n", &namespace, "addr", "add", &local, "dev", device, "nodad"]);
        self.address(host, device, address);
    }

    /// Gives an interface of a host one more address.
    pub fn address(&self, host: &str, device: &str, address: &str) {
        let namespace = self.namespace(host);
        match address.contains(':') {
            true => ip(&["-n", &namespace, "addr", "add", &format!("{address}/64"), "dev", device, "nodad"]),
            false => ip(&["-n", &namespace, "addr", "add", &format!("{address}/24"), "dev", device]),
        }
    }

    /// Takes an interface of a host away, cable and all.
    pub fn unplug(&self, host: &str, device: &str) {
        ip(&["-n", &self.namespace(host), "link", "del", device]);
    }

    /// Runs `work` on a thread of its own inside `host`. Threads, runtimes and processes started there
    /// stay there, also after it has returned; so do their sockets. A panic goes on here.
    pub fn enter<T: Send>(&self, host: &str, work: impl FnOnce() -> T + Send) -> T {
        assert!(self.hosts.iter().any(|known| known == host), "no host {host} in this lab");
        let namespace = self.namespace(host);
        let name = thread::current().name().unwrap_or("lab").to_owned();
        let inside = move || {
            move_to(&namespace);
            work()
        };
        let done = thread::scope(|scope| {
            thread::Builder::new().name(name).spawn_scoped(scope, inside).expect("a thread").join()
        });
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn namespace(&self, host: &str) -> String {
        format!("{}-{host}", self.name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in self.hosts.iter().map(String::as_str).chain(Lan::ALL.map(Lan::switch)) {
            remove(&self.namespace(name));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lan {
    One,
    Two,
}

impl Lan {
    const ALL: [Self; 2] = [Self::One, Self::Two];

    /// Name of the namespace with its bridge.
    fn switch(self) -> &'static str {
        match self {
            Self::One => "lan1",
            Self::Two => "lan2",
        }
    }

    fn of(address: &str) -> Self {
        match address.parse().expect("an address") {
            IpAddr::V4(v4) if v4.octets()[..3] == [198, 51, 100] => Self::One,
            IpAddr::V4(v4) if v4.octets()[..3] == [203, 0, 113] => Self::Two,
            IpAddr::V6(v6) if v6.segments()[..4] == [0x2001, 0xdb8, 0x100, 0] => Self::One,
            IpAddr::V6(v6) if v6.segments()[..4] == [0x2001, 0xdb8, 0x203, 0] => Self::Two,
            other => panic!("{other} is on neither LAN"),
        }
    }
}

/// Moves this thread into a namespace, and gives it a view of `/sys` that shows the interfaces there.
fn move_to(namespace: &str) {
    let file = fs::File::open(format!("{NAMESPACES}/{namespace}")).expect("a namespace");
    setns(file, CloneFlags::CLONE_NEWNET).expect("to enter a namespace");
    unshare(CloneFlags::CLONE_NEWNS).expect("mounts of its own");
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_SLAVE | MsFlags::MS_REC, none).expect("mounts that stay inside");
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::MS_RDONLY, none).expect("its own /sys");
}

/// Removes what dead processes left, and what a namesake of ours did.
fn sweep() {
    let Ok(entries) = fs::read_dir(NAMESPACES) else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let mut parts = name.split('-');
        if parts.next() != Some(PREFIX) {
            continue;
        }
        let Some(process) = parts.next() else { continue };
        let alive = fs::exists(format!("/proc/{process}")).unwrap_or(true);
        if !alive || process == std::process::id().to_string() {
            remove(&name);
        }
    }
}

/// Another process may sweep at the same time, so a failure says nothing.
fn remove(namespace: &str) {
    let _ = Command::new("ip").args(["netns", "del", namespace]).output();
}

/// Runs `ip` in the namespace of this thread.
#[allow(dead_code, reason = "compiled into several tests")]
pub fn ip_in(arguments: &[&str]) {
    ip(arguments);
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("ip, of iproute2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments:?} (as root?): {said}");
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn hosts_reach_each_other_on_their_lan_and_nobody_else() {
        let lab = Lab::new()
            .host("box", &["198.51.100.1", "203.0.113.1"])
            .host("near", &["198.51.100.11"])
            .host("far", &["203.0.113.11"]);
        let server = lab.enter("box", || TcpListener::bind("0.0.0.0:8000").unwrap());
        let reach = |host: &str, address: &str| lab.enter(host, || TcpStream::connect(address).is_ok());
        assert!(reach("near", "198.51.100.1:8000"));
        assert!(reach("far", "203.0.113.1:8000"));
        assert!(!reach("near", "127.0.0.1:8000"), "the loopback of another host");
        drop(server);
        // A process that another test is just starting has it until it runs a program of its own.
        let mut tries = 0;
        while reach("near", "198.51.100.1:8000") {
            tries += 1;
            assert!(tries < 500, "a socket that was closed");
            thread::sleep(std::time::Duration::from_millis(10));
        }

        let names = |host: &str| lab.enter(host, || fs::read_dir("/sys/class/net").unwrap().count());
        assert_eq!((names("box"), names("near")), (3, 2), "with lo");
    }

    #[test]
    fn multicast_stays_on_its_lan() {
        let lab = Lab::new()
            .host("box", &["198.51.100.1"])
            .host("near", &["198.51.100.11"])
            .host("far", &["203.0.113.11"]);
        let listen = |host: &str, own: &str| {
            lab.enter(host, || {
                let socket = UdpSocket::bind("0.0.0.0:3702").unwrap();
                let (group, own) = ("239.255.255.250".parse().unwrap(), own.parse().unwrap());
                socket.join_multicast_v4(&group, &own).unwrap();
                socket.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
                socket
            })
        };
        let (near, far) = (listen("near", "198.51.100.11"), listen("far", "203.0.113.11"));
        lab.enter("box", || {
            let socket = UdpSocket::bind("198.51.100.1:0").unwrap();
            socket.send_to(b"hello", "239.255.255.250:3702").unwrap();
        });
        let mut buffer = [0; 16];
        let (length, from) = near.recv_from(&mut buffer).unwrap();
        assert_eq!(
            (&buffer[..length], from.ip().to_string().as_str()),
            (b"hello".as_slice(), "198.51.100.1")
        );
        assert!(far.recv_from(&mut buffer).is_err());
    }

    #[test]
    fn a_lab_leaves_nothing_behind() {
        let lab = Lab::new().host("box", &["2001:db8:100::1"]);
        let name = format!("{NAMESPACES}/{}", lab.namespace("box"));
        assert!(fs::exists(&name).unwrap());
        drop(lab);
        assert!(!fs::exists(&name).unwrap());
    }
}
