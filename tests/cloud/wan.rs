//! A link between two hosts of a [`Lab`] that is as bad as a test wants it: a rate, a delay, losses, or no way at all.
//! It does what `tc netem` and `tbf` would, which not every kernel has: two TUN devices, and in each direction two
//! threads that carry the packets between them until the link is dropped. Memory: [`BUFFER`] of packets.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsRawFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use nix::libc;

use crate::lab::{Lab, ip_in};

/// What a router's buffer holds before it drops packets.
const BUFFER: Duration = Duration::from_millis(400);
/// How often a thread looks whether the link is still wanted.
const LOOK_MS: libc::c_int = 200;

/// How the link is in one direction.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub up: bool,
    pub delay: Duration,
    /// Packets of a thousand.
    pub lost: u32,
    /// Bytes a second.
    pub rate: u64,
}

pub const FAIR: Weather = Weather { up: true, delay: Duration::ZERO, lost: 0, rate: u64::MAX };

/// The link.
pub struct Wan {
    up: Arc<Direction>,
    down: Arc<Direction>,
}

struct Direction {
    weather: Mutex<Weather>,
    bytes: AtomicU64,
}

impl Wan {
    /// Links two hosts, which get these addresses on it (`/24`) at their device `wan0`.
    pub fn new(lab: &Lab, lower: (&str, &str), upper: (&str, &str)) -> Self {
        let [below, above] = [lower, upper].map(|(host, address)| lab.enter(host, || tun(address)));
        let carry = |from: &File, to: &File| {
            let direction = Arc::new(Direction { weather: Mutex::new(FAIR), bytes: AtomicU64::new(0) });
            let (from, to) = (from.try_clone().expect("a TUN"), to.try_clone().expect("a TUN"));
            direction.clone().carry(from, to);
            direction
        };
        Self { up: carry(&below, &above), down: carry(&above, &below) }
    }

    /// Makes both directions so.
    pub fn set(&self, weather: Weather) {
        for direction in [&self.up, &self.down] {
            *direction.weather.lock().unwrap() = weather;
        }
    }

    /// Bytes of packets that went up so far.
    pub fn sent_up(&self) -> u64 {
        self.up.bytes.load(Ordering::Relaxed)
    }
}

impl Direction {
    fn carry(self: Arc<Self>, mut from: File, mut to: File) {
        let (on_its_way, arriving) = mpsc::channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            for (at, packet) in arriving {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                // The device may be gone with its host.
                let _ = to.write_all(&packet);
            }
        });
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            let (mut free, mut dice) = (Instant::now(), 1_u32);
            // The link has a direction, too.
            while Arc::strong_count(&self) > 1 {
                if !has_packet(&from) {
                    continue;
                }
                let Ok(length) = from.read(&mut buffer) else { return };
                let weather = *self.weather.lock().unwrap();
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let now = Instant::now();
                free = free.max(now);
                if !weather.up || (dice >> 8) % 1000 < weather.lost || free - now > BUFFER {
                    continue;
                }
                self.bytes.fetch_add(length as u64, Ordering::Relaxed);
                free += Duration::from_secs_f64(length as f64 / weather.rate as f64);
                if on_its_way.send((free + weather.delay, buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
    }
}

/// Whether one comes soon.
fn has_packet(device: &File) -> bool {
    let mut poll = libc::pollfd { fd: device.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: the kernel reads and writes that one struct during the call only.
    unsafe { libc::poll(&raw mut poll, 1, LOOK_MS) > 0 }
}

/// The device `wan0` here, with this address.
fn tun(address: &str) -> File {
    let device = File::options().read(true).write(true).open("/dev/net/tun").expect("/dev/net/tun");
    const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
    // SAFETY: a struct of integers and an array, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"wan0") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: the kernel reads and writes that struct during the call only.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF, &raw mut request) };
    assert_eq!(done, 0, "a TUN device (as root?): {}", std::io::Error::last_os_error());
    ip_in(&["addr", "add", &format!("{address}/24"), "dev", "wan0"]);
    ip_in(&["link", "set", "wan0", "up"]);
    device
}
