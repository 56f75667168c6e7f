//! A bundle from the network: `http` or `https`, into the [`Inbox`]. What makes a bundle trusted is its
//! signature; TLS only hides which one a box takes.
//!
//! One piece in memory at a time. A connection that breaks is taken up where it broke, [`TRIES`] times in all.

use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::inbox::{Inbox, Incoming};
use crate::base::{Error, Result};

const TRIES: u32 = 3;
const REST: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(15);
/// Without a byte.
const IDLE: Duration = Duration::from_secs(30);

/// The address, if it is one that bundles may come from.
///
/// # Errors
/// `BadInput` as the end of a sentence about the parameter; never with the address, which may hold a password.
pub fn address(text: &str) -> Result<Url> {
    let bad = |what: &str| Error::bad_input(format!("parameter url {what}"));
    let url = Url::parse(text).map_err(|_| bad("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("does not begin with http:// or https://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("has no host"));
    }
    Ok(url)
}

/// Receives what is at `url`; `progress` is told the percentage, where that is known.
///
/// # Errors
/// `BadInput` or `Full` as for [`Inbox`], `Timeout`, `NotFound`; none names the address.
pub async fn fetch(url: &Url, inbox: &Inbox, progress: impl Fn(u8)) -> Result<()> {
    let client = Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(IDLE)
        .redirect(Policy::limited(5))
        .build()
        .map_err(broken)?;
    let mut incoming: Option<Incoming> = None;
    let mut tried = 0;
    loop {
        tried += 1;
        match turn(&client, url, inbox, &mut incoming, &progress).await {
            Ok(()) => break,
            Err(Fault::Broken(error)) if tried < TRIES => {
                tracing::warn!("the download of an update broke off and is taken up: {error}");
                tokio::time::sleep(REST).await;
            }
            Err(Fault::Broken(error) | Fault::Final(error)) => return Err(error),
        }
    }
    match incoming {
        Some(incoming) => incoming.finish().await,
        None => Err(Error::internal("nothing was downloaded")),
    }
}

enum Fault {
    /// Worth another try.
    Broken(Error),
    Final(Error),
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        Self::Broken(broken(error))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

async fn turn(
    client: &Client,
    url: &Url,
    inbox: &Inbox,
    incoming: &mut Option<Incoming>,
    progress: &impl Fn(u8),
) -> std::result::Result<(), Fault> {
    let have = incoming.as_ref().map_or(0, Incoming::bytes);
    let mut request = client.get(url.clone());
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let mut response = request.send().await?;
    let goes_on = goes_on(&response, have)?;
    let rest = response.content_length();
    let into = match incoming {
        Some(into) => into,
        None => incoming.insert(inbox.begin(rest).await?),
    };
    if !goes_on {
        into.restart().await?;
    }
    let whole = rest.map(|rest| into.bytes() + rest);
    while let Some(piece) = response.chunk().await? {
        into.write(&piece).await?;
        if let Some(whole) = whole.filter(|whole| *whole > 0) {
            progress((into.bytes().saturating_mul(100) / whole).min(100) as u8);
        }
    }
    Ok(())
}

/// Whether the answer continues what we have, rather than beginning anew.
fn goes_on(response: &Response, have: u64) -> std::result::Result<bool, Fault> {
    let range =
        response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
    match response.status() {
        StatusCode::OK => Ok(false),
        StatusCode::PARTIAL_CONTENT if have > 0 && range.starts_with(&format!("bytes {have}-")) => Ok(true),
        status if status.is_server_error() => {
            Err(Fault::Broken(Error::timeout(format!("the server answers {status}"))))
        }
        status => Err(Fault::Final(Error::not_found(format!("the server answers {status}")))),
    }
}

/// Without the address, and with what lies beneath: "error sending request" says nothing.
fn broken(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(beneath) = source {
        text = format!("{text}: {beneath}");
        source = beneath.source();
    }
    Error::timeout(format!("download: {text}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one connection after the other with `answers`, and gives what was asked.
    async fn server(answers: Vec<String>) -> (Url, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://user:secret@{}/x.raucb", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                asked.push(String::from_utf8_lossy(&head[..read]).to_ascii_lowercase());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (url.parse().unwrap(), serving)
    }

    #[tokio::test]
    async fn a_download_that_breaks_is_taken_up() {
        let dir = tempfile::tempdir().unwrap();
        let (url, serving) = server(vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234".into(),
            "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 5-9/10\r\n\r\n56789"
                .into(),
        ])
        .await;
        let seen = Mutex::new(Vec::new());
        fetch(&url, &Inbox::new(dir.path()), |percent| seen.lock().unwrap().push(percent)).await.unwrap();
        assert_eq!(std::fs::read(dir.path().join("bundle.raucb")).unwrap(), b"0123456789");
        let asked = serving.await.unwrap();
        assert!(!asked[0].contains("range") && asked[1].contains("range: bytes=5-"), "{asked:?}");
        assert_eq!(seen.lock().unwrap().last(), Some(&100));
    }

    #[tokio::test]
    async fn what_does_not_come_leaves_nothing_and_tells_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(dir.path());
        for (answer, why) in [
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "the server answers 404 Not Found"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "the body is empty"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "larger than 512 MiB"),
        ] {
            let (url, serving) = server(vec![answer.into()]).await;
            let text = fetch(&url, &inbox, |_| ()).await.unwrap_err().to_string();
            assert!(text.contains(why) && !text.contains("secret"), "{text}");
            serving.await.unwrap();
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
        // Nobody listens.
        let url = "http://user:secret@127.0.0.1:1/".parse().unwrap();
        let text = fetch(&url, &inbox, |_| ()).await.unwrap_err().to_string();
        assert!(text.starts_with("download: ") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn only_the_web_is_an_address() {
        assert!(address("https://updates.example/h5edge.raucb").is_ok());
        for bad in ["", "x", "file:///etc/shadow", "ftp://h/", "https://", "/data/x"] {
            assert!(address(bad).unwrap_err().to_string().starts_with("parameter url "), "{bad}");
        }
    }
}
