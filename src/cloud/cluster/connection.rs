//! A connection to NATS that comes back by itself. Each node has two: `control` for heart-beats, presence,
//! sessions and notices, `data` for streams, so that what is urgent never waits behind media.
//!
//! The client library runs its task and holds at most [`QUEUE`] messages that wait to be sent.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber, ToSubject};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use super::text::check_node;
use super::{Login, Settings};
use crate::base::{Error, Result};

/// Messages that wait to be sent; with the largest, 2 MB.
const QUEUE: usize = 32;

/// Messages that arrived and were not yet handled. Streams bound what can be under way for them; of the others
/// a burst of all sites of a large node may come at once.
const ARRIVED: usize = 65_536;

/// A server that does not answer two of these is left.
const PING: Duration = Duration::from_secs(2);

/// So long a small message may wait for the connection before it is given up.
const TELL: Duration = Duration::from_secs(1);

impl Settings {
    /// Checks every part, and gives the servers' addresses.
    pub(super) fn addresses(&self) -> Result<Vec<ServerAddr>> {
        check_node(&self.node)?;
        if !(1..=16).contains(&self.servers.len()) {
            return Err(Error::bad_input("servers: one to sixteen NATS servers are needed"));
        }
        if let Some(ca) = self.ca.as_ref().filter(|ca| !ca.is_file()) {
            return Err(Error::bad_input(format!("ca: there is no file {}", ca.display())));
        }
        self.servers.iter().map(|server| address(server)).collect()
    }
}

fn address(server: &str) -> Result<ServerAddr> {
    // Addresses are logged.
    if server.contains('@') {
        return Err(Error::bad_input("servers: user and password do not belong into an address"));
    }
    let parsed: ServerAddr = server
        .parse()
        .map_err(|error| Error::bad_input(format!("servers: {server} is no address: {error}")))?;
    match parsed.scheme() {
        "nats" | "tls" if !parsed.host().is_empty() => Ok(parsed),
        _ => Err(Error::bad_input(format!("servers: {server} is no address of a NATS server"))),
    }
}

/// How the connection is.
#[derive(Clone, Debug)]
struct State {
    up: bool,
    /// How often it came up; a new number means that messages may have been missed.
    times: u64,
    /// What went wrong last.
    last: String,
}

/// See the module. Clones are the same connection.
#[derive(Clone)]
pub(super) struct Connection {
    client: Client,
    state: watch::Receiver<State>,
}

impl Connection {
    /// Makes the connection; it need not be up when this returns. `name` is what the servers' lists show.
    pub async fn start(settings: &Settings, name: &str) -> Result<Self> {
        let servers = settings.addresses()?;
        let last = "no NATS server has answered yet".to_owned();
        let (told, state) = watch::channel(State { up: false, times: 0, last });
        let told = Arc::new(told);
        let role = name.to_owned();
        let mut options = ConnectOptions::new()
            .name(format!("h5edge {} {name}", settings.node))
            .retry_on_initial_connect()
            .retain_servers_order()
            .connection_timeout(Duration::from_secs(2))
            .ping_interval(PING)
            .client_capacity(QUEUE)
            .subscription_capacity(ARRIVED)
            .require_tls(settings.tls)
            .reconnect_delay_callback(delay)
            .reconnect_to_server_callback({
                // It knows the reasons; the choice is left to the library.
                let (told, role) = (told.clone(), role.clone());
                move |servers, _| {
                    note_reasons(&told, &role, &servers);
                    std::future::ready(None)
                }
            })
            .event_callback(move |event| {
                note(&told, &role, &event);
                std::future::ready(())
            });
        options = match &settings.login {
            Login::Nobody => options,
            Login::User { user, password } => {
                options.user_and_password(user.clone(), password.expose().to_owned())
            }
            Login::Token(token) => options.token(token.expose().to_owned()),
        };
        if let Some(ca) = &settings.ca {
            options = options.add_root_certificates(ca.clone());
        }
        let client = options.connect(servers).await.map_err(|error| Error::refused(error.to_string()))?;
        Ok(Self { client, state })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Hears `subject` from now on, or from when the connection is up, and again whenever it is.
    pub async fn subscribe(&self, subject: String) -> Result<Subscriber> {
        self.client.subscribe(subject).await.map_err(|error| Error::internal(error.to_string()))
    }

    /// Why there is no connection, if there is none.
    pub fn trouble(&self) -> Option<String> {
        let state = self.state.borrow();
        (!state.up).then(|| format!("no connection to NATS ({})", state.last))
    }

    /// Waits until the connection came up for the `times + 1`st time or more, and gives how often it did.
    pub async fn up_again(&self, times: u64) -> u64 {
        let mut state = self.state.clone();
        let now = state.wait_for(|state| state.up && state.times > times).await.map(|state| state.times);
        match now {
            Ok(times) => times,
            Err(_) => std::future::pending().await,
        }
    }

    /// Sends a small message if there is a connection; without one it is of no use later.
    pub async fn tell(&self, subject: impl ToSubject, message: Vec<u8>) -> bool {
        self.trouble().is_none()
            && matches!(timeout(TELL, self.client.publish(subject, message.into())).await, Ok(Ok(())))
    }
}

/// The wait before the `attempt`th attempt: none at first, since another server is likely there, then up to a
/// second with jitter.
fn delay(attempt: usize) -> Duration {
    match attempt {
        0 | 1 => Duration::ZERO,
        _ => {
            let most = 100_u64.saturating_mul(attempt as u64).min(1000);
            Duration::from_millis(rand::random_range(most / 2..=most))
        }
    }
}

fn note(told: &watch::Sender<State>, name: &str, event: &Event) {
    match event {
        Event::Connected => {
            info!("cluster: the {name} connection to NATS is up");
            told.send_modify(|state| {
                state.up = true;
                state.times += 1;
            });
        }
        Event::Disconnected | Event::Closed => told.send_modify(|state| {
            warn!("cluster: the {name} connection to NATS was lost");
            state.up = false;
            state.last = "it was lost".to_owned();
        }),
        // Without the reason.
        Event::ClientError(_) => {}
        other => warn!("cluster: the {name} connection to NATS: {other}"),
    }
}

/// Before each attempt: why those before did not succeed.
fn note_reasons(told: &watch::Sender<State>, name: &str, servers: &[async_nats::Server]) {
    let reasons =
        servers.iter().filter_map(|server| Some(format!("{server}: {}", server.last_error.as_ref()?)));
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    told.send_if_modified(|state| {
        // Each attempt says the same.
        let new = !state.up && !reasons.is_empty() && state.last != reasons;
        if new {
            warn!("cluster: the {name} connection to NATS: {reasons}");
            state.last = reasons;
        }
        new
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_by_name() {
        let good = Settings { servers: vec!["h:4222".into()], node: "a".into(), ..Settings::default() };
        assert_eq!(good.addresses().unwrap().len(), 1);
        let wrong = |change: fn(&mut Settings), names: &str| {
            let mut settings = good.clone();
            change(&mut settings);
            let text = settings.addresses().unwrap_err().to_string();
            assert!(text.starts_with(names), "{text}");
        };
        wrong(|s| s.node = "a.b".into(), "node");
        wrong(|s| s.servers.clear(), "servers");
        wrong(|s| s.servers = vec!["h".into(); 17], "servers");
        wrong(|s| s.servers = vec!["nats://u:secret@h".into()], "servers");
        wrong(|s| s.servers = vec!["ws://h".into()], "servers");
        wrong(|s| s.servers = vec!["a b".into()], "servers");
        wrong(|s| s.ca = Some("/no/such/file".into()), "ca");
    }
}
