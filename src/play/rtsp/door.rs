//! Who may come in: every request but OPTIONS has to prove a user's password by Digest, each connection
//! has a nonce of its own, and [`Users`] has the brake on guessing.
//!
//! Connections are ended from here by shutting their sockets, as the other end would, so that their own
//! threads end them, and their sessions with them. `gst_rtsp_client_close` is not safe on any other
//! thread: one that is just reading may then try to read for ever from what is closed, at a full core and
//! with a line to the log each time. Nor is taking a client's session out of the pool while it ends: the
//! thread that sends its packets may then ask a client that is gone, which ends the process.
//!
//! Called on the clients' threads; one lock, held for a look into a table. Memory: an entry per open
//! connection, at most [`super::Settings::max_clients`].

use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gstreamer::glib;
use gstreamer::glib::subclass::prelude::*;
use gstreamer_rtsp::{RTSPHeaderField, RTSPStatusCode};
use gstreamer_rtsp_server::prelude::*;
use gstreamer_rtsp_server::subclass::prelude::*;
use gstreamer_rtsp_server::{RTSPAuth, RTSPClient, RTSPContext};

use super::digest::{Claim, challenge};
use super::raw::Field;
use super::{Tried, Users, raw};
use crate::base::secret::Secret;

glib::wrapper! {
    /// See the module.
    pub struct Door(ObjectSubclass<imp::Door>) @extends RTSPAuth;
}

impl Door {
    /// Lets in those whom `users` knows.
    pub fn new(users: Users, max_clients: usize) -> Self {
        let door: Self = glib::Object::new();
        // Nobody else has it yet, so it cannot be set.
        let _ = door.imp().rules.set(imp::Rules { users, max_clients });
        door
    }

    /// Takes in a new connection that is not served yet, or ends it where there is no room; whether there
    /// was.
    pub fn enter(&self, client: &RTSPClient) -> bool {
        let Some((socket, peer)) = raw::socket(client).zip(raw::peer(client)) else { return false };
        let most = self.imp().rules.get().map_or(0, |rules| rules.max_clients);
        let mut state = self.imp().state();
        if state.guests.len() >= most {
            hang_up(&socket);
            return false;
        }
        let nonce = format!("{:032x}", rand::random::<u128>());
        state.guests.insert(key(client), Guest { peer, nonce, socket });
        true
    }

    /// A connection has ended.
    pub fn leave(&self, client: &RTSPClient) {
        self.imp().state().guests.remove(&key(client));
    }

    /// Ends a connection, if it has not ended yet.
    pub fn see_out(client: &RTSPClient) {
        let Some(door) = client.auth().and_downcast::<Self>() else { return };
        if let Some(guest) = door.imp().state().guests.get(&key(client)) {
            hang_up(&guest.socket);
        }
    }

    /// Ends all connections; they have ended when [`Self::is_empty`].
    pub fn see_all_out(&self) {
        self.imp().state().guests.values().for_each(|guest| hang_up(&guest.socket));
    }

    pub fn is_empty(&self) -> bool {
        self.imp().state().guests.is_empty()
    }
}

fn hang_up(socket: &TcpStream) {
    // Fails where the other end has done the same.
    let _ = socket.shutdown(Shutdown::Both);
}

/// Tells clients apart while they live.
fn key(client: &RTSPClient) -> usize {
    client.as_ptr() as usize
}

/// An open connection.
pub struct Guest {
    peer: IpAddr,
    nonce: String,
    socket: TcpStream,
}

/// What comes of a request.
enum Verdict {
    Welcome,
    /// No credentials, or none that can be checked: here is what they are to be made with.
    Challenge(String),
    Locked,
}

mod imp {
    use std::sync::OnceLock;

    use super::*;

    pub struct Rules {
        pub users: Users,
        pub max_clients: usize,
    }

    #[derive(Default)]
    pub struct State {
        pub guests: HashMap<usize, Guest>,
    }

    #[derive(Default)]
    pub struct Door {
        pub rules: OnceLock<Rules>,
        state: Mutex<State>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Door {
        const NAME: &'static str = "H5edgeRtspDoor";
        type Type = super::Door;
        type ParentType = RTSPAuth;
    }

    impl ObjectImpl for Door {}

    impl RTSPAuthImpl for Door {
        fn check(&self, context: &RTSPContext, check: &glib::GString) -> bool {
            match check.as_str() {
                "auth.check.url" => self.admit(context),
                // Multicast to wherever the client wishes.
                "auth.check.transport.client-settings" => false,
                // To connect; and what the URL's check has let through already.
                _ => true,
            }
        }
    }

    impl Door {
        pub fn state(&self) -> MutexGuard<'_, State> {
            // The tables are whole at any time.
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn admit(&self, context: &RTSPContext) -> bool {
            let (Some(client), Some(method)) = (context.client(), raw::method(context)) else { return false };
            let code = match self.judge(context, client, &method) {
                Verdict::Welcome => return true,
                Verdict::Challenge(nonce) => (RTSPStatusCode::Unauthorized, Some(challenge(&nonce))),
                Verdict::Locked => (RTSPStatusCode::Forbidden, None),
            };
            if let Some(response) = context.response() {
                response.init_response(code.0, context.request());
                if let Some(challenge) = code.1 {
                    response.add_header(RTSPHeaderField::WwwAuthenticate, &challenge);
                }
                client.send_message(response, context.session());
            }
            false
        }

        fn judge(&self, context: &RTSPContext, client: &RTSPClient, method: &str) -> Verdict {
            if method == "OPTIONS" {
                return Verdict::Welcome;
            }
            let Some((peer, nonce)) =
                self.state().guests.get(&key(client)).map(|guest| (guest.peer, guest.nonce.clone()))
            else {
                return Verdict::Locked;
            };
            let claim = raw::header(context, Field::Authorization).and_then(|value| Claim::parse(&value));
            let Some(claim) = claim.filter(|claim| claim.nonce == nonce) else {
                return Verdict::Challenge(nonce);
            };
            // Asked without a lock: it may look into the database.
            let Some(rules) = self.rules.get() else { return Verdict::Locked };
            let proof = |password: &Secret| claim.proves(password.expose(), method, &nonce);
            match (rules.users)(peer, &claim.user, &proof) {
                Tried::Right => Verdict::Welcome,
                Tried::Locked => Verdict::Locked,
                Tried::Wrong => {
                    tracing::info!("RTSP: wrong user or password from {peer}");
                    Verdict::Challenge(nonce)
                }
            }
        }
    }
}
