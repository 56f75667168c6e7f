//! What the bindings of `gstreamer-rtsp-server` leave out: who is at the other end of a connection and
//! by which socket, and a request's method and header fields. The only unsafe code of this folder; no
//! state.

use std::ffi::{CStr, c_char};
use std::net::{IpAddr, TcpStream};
use std::os::fd::BorrowedFd;

use gstreamer::glib::translate::ToGlibPtr;
use gstreamer_rtsp::ffi as rtsp;
use gstreamer_rtsp_server::{RTSPClient, RTSPContext, ffi, gio};

/// A header field of a request that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Authorization,
    Scale,
    Speed,
}

/// The address of the client; one that came over IPv6 as an IPv4 address is that.
pub fn peer(client: &RTSPClient) -> Option<IpAddr> {
    let client: *mut ffi::GstRTSPClient = client.to_glib_none().0;
    // SAFETY: the client lives for the call and owns the connection, which owns the text; both
    // functions take what the other gives and only read.
    let text = unsafe {
        let connection = ffi::gst_rtsp_client_get_connection(client);
        if connection.is_null() {
            return None;
        }
        text(rtsp::gst_rtsp_connection_get_ip(connection))?
    };
    // A link-local address comes with its interface: fe80::1%eth0.
    let address: IpAddr = text.split('%').next()?.parse().ok()?;
    Some(address.to_canonical())
}

/// The client's socket once more. To be asked for before the connection is served: it must not end
/// meanwhile.
pub fn socket(client: &RTSPClient) -> Option<TcpStream> {
    let client: *mut ffi::GstRTSPClient = client.to_glib_none().0;
    // SAFETY: the client lives for the call and owns the connection, which owns the socket, which owns
    // the descriptor until it is closed; nobody else knows of the connection yet who might close it.
    unsafe {
        let connection = ffi::gst_rtsp_client_get_connection(client);
        if connection.is_null() {
            return None;
        }
        let socket = rtsp::gst_rtsp_connection_get_read_socket(connection);
        if socket.is_null() {
            return None;
        }
        let descriptor = gio::ffi::g_socket_get_fd(socket);
        if descriptor < 0 {
            return None;
        }
        BorrowedFd::borrow_raw(descriptor).try_clone_to_owned().ok().map(TcpStream::from)
    }
}

/// The method of the request that `context` is about, as it stands in the request.
pub fn method(context: &RTSPContext) -> Option<String> {
    let context: *mut ffi::GstRTSPContext = context.to_glib_none().0;
    // SAFETY: a context is valid for as long as its reference; the text is static.
    unsafe { text(rtsp::gst_rtsp_method_as_text((*context).method)) }
}

/// The value of the first such header field of the request.
pub fn header(context: &RTSPContext, field: Field) -> Option<String> {
    let field = match field {
        Field::Authorization => rtsp::GST_RTSP_HDR_AUTHORIZATION,
        Field::Scale => rtsp::GST_RTSP_HDR_SCALE,
        Field::Speed => rtsp::GST_RTSP_HDR_SPEED,
    };
    let context: *mut ffi::GstRTSPContext = context.to_glib_none().0;
    let mut value = std::ptr::null_mut();
    // SAFETY: a context is valid for as long as its reference, and its request as long as itself; the
    // value stays the message's and is copied before the message can change.
    unsafe {
        let request = (*context).request;
        if request.is_null()
            || rtsp::gst_rtsp_message_get_header(request, field, &mut value, 0) != rtsp::GST_RTSP_OK
        {
            return None;
        }
        text(value)
    }
}

/// # Safety
/// `pointer` is null or a C string.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
