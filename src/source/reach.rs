//! Why a server cannot be reached. GStreamer says "could not open resource" of an absent, a refusing
//! and a misspelt host alike; one plain TCP connection tells them apart.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::pipeline::Failure;
use crate::media::stream::OfflineReason;

const PATIENCE: Duration = Duration::from_secs(2);

/// The failure class of an address that could not be opened; `None` if it can be connected to, or
/// is none.
pub async fn failure(address: &str) -> Option<Failure> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let port = url.port().unwrap_or(match url.scheme() {
        "rtsps" => 322,
        "rtmp" => 1935,
        "rtmps" => 443,
        _ => 554,
    });
    let refused =
        |what| Failure::new(OfflineReason::Refused, format!("{host}:{port} refuses the connection{what}"));
    let no_route = |what: &str| Failure::new(OfflineReason::NoRoute, format!("{host}:{port} {what}"));
    match timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(match error.kind() {
            ErrorKind::ConnectionRefused => refused(""),
            ErrorKind::PermissionDenied => refused(" (firewall)"),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                no_route("is not reachable from here")
            }
            _ if error.raw_os_error().is_none() => no_route("has no address: the name is not known"),
            _ => no_route("does not answer"),
        }),
        Err(_) => Some(no_route("does not answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tells_refusal_from_a_name_that_nobody_has() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let refused = failure(&format!("rtsp://127.0.0.1:{free}/x")).await.unwrap();
        assert_eq!(refused.reason, OfflineReason::Refused, "{refused:?}");
        let unknown = failure("rtsp://no-such-host.invalid/x").await.unwrap();
        assert_eq!(unknown.reason, OfflineReason::NoRoute, "{unknown:?}");
    }

    #[tokio::test]
    async fn says_nothing_of_a_server_that_answers() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        assert!(failure(&format!("rtsp://127.0.0.1:{port}/x")).await.is_none());
    }
}
