//! A WebRTC viewer for tests: str0m on a UDP or TCP socket, and a stream of made-up frames to watch.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h5edge::base::time::{MediaTime, MonoTime};
use h5edge::media::frame::{Frame, Track};
use h5edge::media::hub::{DEFAULT_KEEP, Hub};
use h5edge::media::params::{Params, VideoCodec, VideoParams};
use h5edge::media::stream::Stream;
use h5edge::play::webrtc::{Rtc as Server, RtcSettings};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::RtpPacket;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

/// No test waits longer than this for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn server(max_viewers: usize) -> (Server, CancellationToken) {
    let shutdown = CancellationToken::new();
    let settings =
        RtcSettings { port: 0, public_addresses: Vec::new(), ice_servers: Vec::new(), max_viewers };
    (Server::start(settings, shutdown.clone()).unwrap(), shutdown)
}

pub fn params(codec: VideoCodec) -> Params {
    // Profile High in `avcC`, Main in `hvcC`.
    let profile = if codec == VideoCodec::H264 { 0x64 } else { 1 };
    Params {
        video: VideoParams {
            codec,
            vps: vec![],
            sps: vec![Bytes::from_static(&[0x67, 0x64, 0, 0x1f, 1])],
            pps: vec![Bytes::from_static(&[0x68, 0xee])],
            config: vec![1, profile, 0, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 93].into(),
            width: 1920,
            height: 1080,
            codec_string: "avc1.64001F".into(),
            reorder: Some(0),
        },
        audio: None,
    }
}

/// Frame `number` of a 25 fps stream with a key frame of `key_size` bytes every `gop` frames.
pub fn frame(number: i64, gop: i64, key_size: usize) -> Frame {
    let key = number % gop == 0;
    let size = if key { key_size } else { 4000 };
    let mut data = u32::try_from(size).unwrap().to_be_bytes().to_vec();
    data.push(if key { 0x65 } else { 0x41 });
    data.resize(4 + size, number as u8);
    Frame {
        track: Track::Video,
        dts: MediaTime(number * 3600),
        pts: MediaTime(number * 3600),
        duration: MediaTime(3600),
        key,
        data: data.into(),
        arrived: MonoTime::default(),
    }
}

/// A stream that has delivered `frames` frames already.
pub fn stream(codec: VideoCodec, frames: i64, gop: i64) -> Arc<Stream> {
    let hub = Hub::new(64 << 20, DEFAULT_KEEP);
    hub.begin(params(codec));
    (0..frames).for_each(|n| hub.push(frame(n, gop, 60_000)));
    Stream::new("cam1", hub)
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// A viewer.
pub struct Client {
    pub rtc: Rtc,
    pub connected: bool,
    /// Media packets by extended sequence number: RTP timestamp, marker, payload.
    pub packets: BTreeMap<u64, (u32, bool, Vec<u8>)>,
    /// The order in which sequence numbers came.
    pub order: Vec<u64>,
    /// Swallows the datagram with this number among those that are media, once.
    pub lose: Option<usize>,
    media_seen: usize,
    socket: Socket,
    local: SocketAddr,
    mid: Option<Mid>,
}

impl Client {
    fn new(socket: Socket, local: SocketAddr, candidate: Candidate, h265: bool) -> Self {
        let config = RtcConfig::new().set_rtp_mode(true).enable_h265(h265);
        let mut rtc = config.build(Instant::now());
        rtc.add_local_candidate(candidate);
        Self {
            rtc,
            connected: false,
            packets: BTreeMap::new(),
            order: Vec::new(),
            lose: None,
            media_seen: 0,
            socket,
            local,
            mid: None,
        }
    }

    pub async fn udp() -> Self {
        Self::udp_with(true).await
    }

    /// One that takes H.265 or not.
    pub async fn udp_with(h265: bool) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = socket.local_addr().unwrap();
        Self::new(Socket::Udp(socket), local, Candidate::host(local, "udp").unwrap(), h265)
    }

    pub async fn tcp(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let local = socket.local_addr().unwrap();
        let candidate = Candidate::builder().tcp().host(local).tcptype(TcpType::Active).build().unwrap();
        Self::new(Socket::Tcp(socket), local, candidate, true)
    }

    /// An offer to receive video.
    pub fn offer(&mut self) -> (String, SdpPendingOffer) {
        let mut changes = self.rtc.sdp_api();
        self.mid = Some(changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None));
        let (offer, pending) = changes.apply().unwrap();
        (offer.to_sdp_string(), pending)
    }

    pub fn accept(&mut self, pending: SdpPendingOffer, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(&self.reachable(answer)).unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// Answers the server's offer.
    pub fn answer(&mut self, offer: &str) -> String {
        let offer = SdpOffer::from_sdp_string(&self.reachable(offer)).unwrap();
        self.rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string()
    }

    /// The SDP with only the candidates that this socket can talk to.
    fn reachable(&self, sdp: &str) -> String {
        let proto = match self.socket {
            Socket::Udp(_) => " udp ",
            Socket::Tcp(_) => " tcp ",
        };
        let keep = |line: &&str| {
            !line.starts_with("a=candidate") || (line.contains(proto) && line.contains(" 127.0.0.1 "))
        };
        sdp.lines().filter(keep).map(|line| format!("{line}\r\n")).collect()
    }

    /// Watches `stream` by WHEP.
    pub async fn whep(&mut self, server: &Server, stream: Arc<Stream>) -> String {
        let (offer, pending) = self.offer();
        let session = server.whep(stream, &offer, self.local).await.unwrap();
        self.accept(pending, &session.answer_sdp);
        session.id
    }

    pub fn request_key_frame(&mut self) {
        let mid = self.mid.unwrap();
        let mut api = self.rtc.direct_api();
        api.stream_rx_by_mid(mid, None).unwrap().request_keyframe(KeyframeRequestKind::Pli);
    }

    /// Exchanges packets until `done` says so.
    pub async fn run_until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        self.step(Duration::ZERO).await;
        while !done(self) {
            assert!(Instant::now() < deadline, "waited too long for {what}");
            self.step(Duration::from_millis(20)).await;
        }
    }

    /// Sends what is to be sent and takes in one packet, waiting for it at most `patience`.
    pub async fn step(&mut self, patience: Duration) {
        let timer = loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => break at,
                Output::Transmit(packet) => self.send(packet.destination, &packet.contents).await,
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::MediaAdded(media)) => self.mid = Some(media.mid),
                Output::Event(Event::RtpPacket(packet)) => self.take(packet),
                Output::Event(_) => {}
            }
        };
        let wait = timer.saturating_duration_since(Instant::now()).min(patience);
        let now = match tokio::time::timeout(wait, self.receive()).await {
            Ok((from, data)) => {
                let now = Instant::now();
                let proto = match self.socket {
                    Socket::Udp(_) => Protocol::Udp,
                    Socket::Tcp(_) => Protocol::Tcp,
                };
                let received = Receive::new(proto, from, self.local, &data).unwrap();
                self.rtc.handle_input(Input::Receive(now, received)).unwrap();
                return;
            }
            Err(_) => Instant::now(),
        };
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
    }

    fn take(&mut self, packet: RtpPacket) {
        let seq = *packet.seq_no;
        let (time, marker) = (packet.header.timestamp, packet.header.marker);
        self.order.push(seq);
        self.packets.insert(seq, (time, marker, packet.payload.to_vec()));
    }

    async fn send(&mut self, to: SocketAddr, data: &[u8]) {
        match &mut self.socket {
            Socket::Udp(socket) => drop(socket.send_to(data, to).await.unwrap()),
            Socket::Tcp(socket) => {
                let len = u16::try_from(data.len()).unwrap().to_be_bytes();
                socket.write_all(&[&len, data].concat()).await.unwrap();
            }
        }
    }

    async fn receive(&mut self) -> (SocketAddr, Vec<u8>) {
        loop {
            let (from, data) = match &mut self.socket {
                Socket::Udp(socket) => {
                    let mut data = vec![0; 2000];
                    let (len, from) = socket.recv_from(&mut data).await.unwrap();
                    data.truncate(len);
                    (from, data)
                }
                // Two reads; a cancelled first one has taken nothing, and the rest is there at once.
                Socket::Tcp(socket) => {
                    let mut len = [0; 2];
                    while socket.peek(&mut len).await.unwrap() < 2 {}
                    socket.read_exact(&mut len).await.unwrap();
                    let mut data = vec![0; usize::from(u16::from_be_bytes(len))];
                    socket.read_exact(&mut data).await.unwrap();
                    (socket.peer_addr().unwrap(), data)
                }
            };
            let media = data.len() > 300 && data[0] >> 6 == 2;
            self.media_seen += usize::from(media);
            if media && self.lose == Some(self.media_seen) {
                self.lose = None;
                continue;
            }
            return (from, data);
        }
    }

    /// Sequence numbers between the first and the last packet that never came.
    pub fn missing(&self) -> usize {
        let (Some(first), Some(last)) = (self.packets.keys().next(), self.packets.keys().last()) else {
            return 0;
        };
        (last - first + 1) as usize - self.packets.len()
    }

    /// Whole access units: timestamp and whether it is a key frame.
    pub fn units(&self) -> Vec<(u32, bool)> {
        let mut units: Vec<(u32, bool)> = Vec::new();
        let mut key = false;
        for (time, marker, payload) in self.packets.values() {
            // IDR slice (5) as FU-A start or alone; parameter sets in front of it in a STAP-A.
            key |= matches!(payload[0] & 0x1f, 5 | 24) || (payload[0] & 0x1f == 28 && payload[1] & 0x1f == 5);
            if *marker {
                units.push((*time, key));
                key = false;
            }
        }
        units
    }
}
