//! The tunnel between an edge and its central: yamux streams over the binary messages of one WebSocket.
//!
//! One task per tunnel ([`Tunnel::start`]) drives all of it; it ends with the last [`Tunnel`], and ends all streams.
//! Only the central opens streams. The edge pings, the central answers, and a tunnel whose other end is silent for
//! [`SILENCE`] is over. Memory: three times [`PIECE`] and one frame of yamux (1 MiB) at most; for each open stream,
//! of at most [`MAX_STREAMS`], a window of 256 KiB, and [`GROWTH`] more for all of them together.

mod wire;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};
use tokio_util::sync::CancellationToken;
use yamux::{Config, Connection, Mode};

use self::wire::{Pulse, Wire};
use crate::base::{Error, Result};

/// Largest message, and what a stream sends before another one has its turn. On a link of 1 Mbit/s it takes 65 ms.
const PIECE: usize = 8 << 10;
/// Of it, what yamux says about the rest.
const YAMUX_HEAD: usize = 12;
/// Streams that may be open in one tunnel.
pub const MAX_STREAMS: usize = 256;
/// How much yamux may widen the windows of the streams of one tunnel, for long and fast links.
const GROWTH: usize = 4 << 20;
/// Whoever is not heard for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(10);
/// Pings are never farther apart, whatever the configuration says.
const MAX_KEEPALIVE: Duration = Duration::from_secs(3);
/// How long a stream may take to be opened.
const OPENING: Duration = Duration::from_secs(5);
/// Streams that wait to be opened.
const QUEUE: usize = 16;

/// How the WebSocket under a tunnel is set up: small buffers, as there are thousands of them.
pub fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * PIECE)
        .max_message_size(Some(64 << 10))
        .max_frame_size(Some(64 << 10))
}

/// The near end of a tunnel. It ends when its last copy is dropped.
#[derive(Clone, Debug)]
pub struct Tunnel {
    open: mpsc::Sender<Opened>,
    seats: Arc<Semaphore>,
    over: CancellationToken,
}

type Opened = oneshot::Sender<io::Result<yamux::Stream>>;

/// Streams that the other side opened. In boxes: a queue has room for 32 from the start, also where none ever comes.
pub type Arrivals = mpsc::Receiver<Box<TunnelStream>>;

/// One stream in a tunnel.
#[derive(Debug)]
pub struct TunnelStream {
    stream: Compat<yamux::Stream>,
    /// Among [`MAX_STREAMS`], at the side that opened it.
    _seat: Option<OwnedSemaphorePermit>,
}

/// Which side of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Opens streams; any that it is sent end the tunnel.
    Central,
    /// Takes streams, and pings so often.
    Edge { keepalive: Duration },
}

impl Tunnel {
    /// Makes a tunnel of a WebSocket. The arrivals of the central's side never yield.
    pub fn start<T>(socket: WebSocketStream<T>, side: Side) -> (Self, Arrivals)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (tunnel, arrivals, work) = Self::prepare(socket, side);
        tokio::spawn(work);
        (tunnel, arrivals)
    }

    /// The same with the work of its task.
    fn prepare<T>(socket: WebSocketStream<T>, side: Side) -> (Self, Arrivals, impl Future<Output = ()>)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (open, orders) = mpsc::channel(QUEUE);
        // A page that asks for many pictures opens many at once.
        let (arrived, arrivals) = mpsc::channel(MAX_STREAMS);
        let over = CancellationToken::new();
        let pulse = Arc::new(Pulse::new());
        let (mode, ping) = match side {
            Side::Central => (Mode::Client, None),
            Side::Edge { keepalive } => (Mode::Server, Some(keepalive.min(MAX_KEEPALIVE))),
        };
        let driver = Driver {
            connection: Connection::new(Wire::new(socket, pulse.clone()), config(), mode),
            side,
            orders,
            opening: None,
            unordered: false,
            arrived,
            pulse,
            ping: ping.map(|every| (Instant::now(), every)),
            alarm: Box::pin(sleep_until(Instant::now())),
        };
        let guard = over.clone().drop_guard();
        let seats = Arc::new(Semaphore::new(MAX_STREAMS));
        let tunnel = Self { open, seats, over: over.clone() };
        let work = async move {
            let _over = guard;
            driver.run(over).await;
        };
        (tunnel, arrivals, work)
    }

    /// A new stream to the other side.
    ///
    /// # Errors
    /// `Timeout` when the tunnel is over, `Full` when it has [`MAX_STREAMS`].
    pub async fn open(&self) -> Result<TunnelStream> {
        let over = || Error::timeout("the connection to the site has just ended");
        let full = |_| Error::full("too much is open at the site already");
        let seat = self.seats.clone().try_acquire_owned().map_err(full)?;
        let (opened, stream) = oneshot::channel();
        let wait = async {
            self.open.send(opened).await.map_err(|_| over())?;
            stream.await.map_err(|_| over())?.map_err(|_| over())
        };
        let stream = tokio::time::timeout(OPENING, wait).await.map_err(|_| over())??;
        Ok(TunnelStream { stream: stream.compat(), _seat: Some(seat) })
    }

    /// Ends it, with all its streams.
    pub fn close(&self) {
        self.over.cancel();
    }

    /// Returns when it has ended.
    pub async fn ended(&self) {
        self.over.cancelled().await;
    }

    /// Whether it has.
    pub fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }
}

fn config() -> Config {
    // yamux ends the whole connection where there is one too many, and notices late that one has gone: our own bound
    // is far below its.
    let most = 4 * MAX_STREAMS;
    let mut config = Config::default();
    config.set_max_num_streams(most);
    config.set_max_connection_receive_window(Some(most * yamux::DEFAULT_CREDIT as usize + GROWTH));
    config.set_split_send_size(PIECE - YAMUX_HEAD);
    config
}

struct Driver<T> {
    connection: Connection<Wire<T>>,
    side: Side,
    orders: mpsc::Receiver<Opened>,
    opening: Option<Opened>,
    /// Nobody can give orders any more.
    unordered: bool,
    arrived: mpsc::Sender<Box<TunnelStream>>,
    pulse: Arc<Pulse>,
    /// When the next ping is due, and the time between two.
    ping: Option<(Instant, Duration)>,
    alarm: Pin<Box<Sleep>>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Driver<T> {
    async fn run(mut self, over: CancellationToken) {
        tokio::select! {
            () = std::future::poll_fn(|cx| self.poll(cx)) => {}
            () = over.cancelled() => {}
        }
        // No goodbye of yamux': that would leave readers of its streams asleep for ever. When it is dropped they wake,
        // and the connection's end tells the other side.
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_pulse(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            if self.opening.is_none() && !self.unordered {
                match self.orders.poll_recv(cx) {
                    Poll::Ready(Some(order)) => self.opening = Some(order),
                    // On the edge's side nobody opens anything.
                    Poll::Ready(None) if self.side == Side::Central => return Poll::Ready(()),
                    Poll::Ready(None) => self.unordered = true,
                    Poll::Pending => {}
                }
            }
            let mut opened = false;
            if let Some(order) = self.opening.take() {
                match self.connection.poll_new_outbound(cx) {
                    Poll::Ready(stream) => {
                        // Whoever asked may have given up.
                        let _ = order.send(stream.map_err(io::Error::other));
                        opened = true;
                    }
                    Poll::Pending => self.opening = Some(order),
                }
            }
            match self.connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) if self.side != Side::Central => {
                    // Over the bound it is dropped, which resets it.
                    let stream = TunnelStream { stream: stream.compat(), _seat: None };
                    let _ = self.arrived.try_send(Box::new(stream));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending if opened => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Has a ping sent when one is due; ready when the other side has been silent for too long. It has a timer of its
    /// own, since yamux stops reading while it cannot write.
    fn poll_pulse(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let (now, limit) = (Instant::now(), self.pulse.heard() + SILENCE);
            if now >= limit {
                return Poll::Ready(());
            }
            if let Some((next, every)) = self.ping.as_mut().filter(|(next, _)| now >= *next) {
                self.pulse.order_ping();
                *next = now + *every;
            }
            let next = self.ping.map_or(limit, |(next, _)| next.min(limit));
            self.alarm.as_mut().reset(next);
        }
    }
}

impl AsyncRead for TunnelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
