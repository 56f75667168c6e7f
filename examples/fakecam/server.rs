//! The RTSP server around the cameras: log-in, mounting, and the ways to disturb its connections.
//! It runs on GLib's main loop and one thread per client (GStreamer's own).

use std::{
    net::{Shutdown, TcpStream},
    os::fd::BorrowedFd,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use gstreamer::glib::{self, SourceId, translate::ToGlibPtr};
use gstreamer_rtsp::RTSPAuthMethod;
use gstreamer_rtsp_server::{
    RTSP_TOKEN_MEDIA_FACTORY_ROLE, RTSPAuth, RTSPClient, RTSPFilterResult, RTSPMediaFactory, RTSPMountPoints,
    RTSPServer, RTSPSessionPool, RTSPThreadPool, RTSPToken, ffi, gio, prelude::*,
};
use h5edge::base::{Error, Result};

use crate::camera::{Camera, ROLE};

/// How clients have to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Auth {
    None,
    Basic,
    Digest,
}

/// The server and its cameras.
pub struct Server {
    rtsp: RTSPServer,
    mounts: RTSPMountPoints,
    sessions: RTSPSessionPool,
    cameras: Vec<(Arc<Camera>, RTSPMediaFactory)>,
    /// The listening socket's place in the main loop; none while it is down.
    listening: Mutex<Option<SourceId>>,
}

impl Server {
    /// Serves `cameras` on 127.0.0.1; `port` 0 takes any free one.
    pub fn start(
        port: u16,
        cameras: Vec<Arc<Camera>>,
        auth: Auth,
        user: &str,
        password: &str,
    ) -> Result<Self> {
        let rtsp = RTSPServer::new();
        rtsp.set_address("127.0.0.1");
        rtsp.set_service(&port.to_string());
        rtsp.set_auth(authority(auth, user, password).as_ref());
        let threads = RTSPThreadPool::new();
        // A thread for each client: one that waits for a stalled camera must not hold up the others.
        threads.set_max_threads(-1);
        rtsp.set_thread_pool(Some(&threads));
        let missing = |what| Error::internal(format!("the RTSP server has no {what}"));
        let mounts = rtsp.mount_points().ok_or_else(|| missing("mount points"))?;
        let sessions = rtsp.session_pool().ok_or_else(|| missing("session pool"))?;
        let cameras = cameras.into_iter().map(|camera| (Arc::clone(&camera), camera.factory())).collect();
        let server = Self { rtsp, mounts, sessions, cameras, listening: Mutex::new(None) };
        server.mount(0..server.cameras.len());
        server.listen()?;
        // From now on the same port, also after it was closed for a while.
        server.rtsp.set_service(&server.port().to_string());
        server.run_main_loop();
        Ok(server)
    }

    pub fn port(&self) -> i32 {
        self.rtsp.bound_port()
    }

    pub fn cameras(&self) -> usize {
        self.cameras.len()
    }

    /// The camera number `index`; the caller has checked the number.
    pub fn camera(&self, index: usize) -> &Arc<Camera> {
        &self.cameras[index].0
    }

    /// How many RTSP sessions a camera has.
    pub fn sessions(&self, index: usize) -> usize {
        let path = &self.camera(index).path;
        let mut count = 0;
        self.sessions.filter(Some(&mut |_, session| {
            count += usize::from(session.media(path).0.is_some());
            RTSPFilterResult::Keep
        }));
        count
    }

    /// Closes the connections of the cameras' clients, as a pulled cable would.
    pub fn disconnect(&self, cameras: impl Iterator<Item = usize>) {
        let paths: Vec<&str> = cameras.map(|index| self.camera(index).path.as_str()).collect();
        self.rtsp.client_filter(Some(&mut |_, client| {
            let mut watches = false;
            client.session_filter(Some(&mut |_, session| {
                watches |= paths.iter().any(|path| session.media(path).0.is_some());
                RTSPFilterResult::Keep
            }));
            if watches {
                cut_off(client);
            }
            RTSPFilterResult::Keep
        }));
    }

    /// Makes the cameras unknown (404).
    pub fn unmount(&self, cameras: impl Iterator<Item = usize>) {
        cameras.for_each(|index| self.mounts.remove_factory(&self.camera(index).path));
    }

    /// The reverse of [`Self::unmount`].
    pub fn mount(&self, cameras: impl Iterator<Item = usize>) {
        for (camera, factory) in cameras.map(|index| &self.cameras[index]) {
            self.mounts.add_factory(&camera.path, factory.clone());
        }
    }

    /// Opens the port.
    pub fn listen(&self) -> Result<()> {
        let source = self
            .rtsp
            .attach(None)
            .map_err(|_| Error::refused(format!("RTSP port {} cannot be opened", self.rtsp.service())))?;
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        Ok(())
    }

    /// Closes the port: new connections are refused.
    pub fn hang_up(&self) {
        if let Some(source) = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take() {
            source.remove();
        }
    }

    fn run_main_loop(&self) {
        let sessions = self.sessions.clone();
        glib::timeout_add_seconds(2, move || {
            sessions.cleanup();
            glib::ControlFlow::Continue
        });
        thread::spawn(|| glib::MainLoop::new(None, false).run());
    }
}

fn authority(auth: Auth, user: &str, password: &str) -> Option<RTSPAuth> {
    let authority = RTSPAuth::new();
    let token = RTSPToken::builder().field(RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE).build();
    match auth {
        Auth::None => return None,
        Auth::Basic => {
            authority.set_supported_methods(RTSPAuthMethod::Basic);
            authority.add_basic(&RTSPAuth::make_basic(user, password), &token);
        }
        Auth::Digest => {
            authority.set_supported_methods(RTSPAuthMethod::Digest);
            authority.add_digest(user, password, &token);
        }
    }
    Some(authority)
}

/// Ends a connection so that its own thread sees it end: `client.close()` on another one may leave that
/// reading for ever.
fn cut_off(client: &RTSPClient) {
    let client: *mut ffi::GstRTSPClient = client.to_glib_none().0;
    // SAFETY: the client lives for the call; it owns its connection, and that its socket.
    let socket = unsafe {
        let connection = ffi::gst_rtsp_client_get_connection(client);
        let socket = gstreamer_rtsp::ffi::gst_rtsp_connection_get_read_socket(connection);
        let descriptor = if socket.is_null() { -1 } else { gio::ffi::g_socket_get_fd(socket) };
        if descriptor < 0 {
            return;
        }
        BorrowedFd::borrow_raw(descriptor).try_clone_to_owned()
    };
    if let Ok(socket) = socket {
        // Fails where the other end has hung up.
        let _ = TcpStream::from(socket).shutdown(Shutdown::Both);
    }
}
