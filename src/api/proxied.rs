//! The PROXY protocol, versions 1 and 2 (its specification is HAProxy's `proxy-protocol.txt`): a balancer that passes
//! connections on unopened tells with the first bytes who is at the other end. Taken from the balancers alone that
//! the configuration names, since whoever is believed here chooses the address that the brake on guessing counts.
//!
//! No state. Memory: a header of at most [`MOST`] bytes per connection that has just begun.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::base::{Error, Result};

/// What version 2 begins with, and how much that is.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Longest line of version 1, its end included.
const LINE: usize = 107;
/// Longest rest of a header of version 2: addresses, and what else the balancer tells.
const MOST: usize = 2048;

/// Who is at the other end of `stream`; `None` when the balancer speaks for itself, as to see whether we are there.
/// Takes nothing of what follows the header.
///
/// # Errors
/// `BadInput` for what is no such header, and those of the stream.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>> {
    let mut begin = [0; SIGNATURE.len()];
    stream.read_exact(&mut begin).await?;
    if begin == SIGNATURE {
        return second(stream).await;
    }
    if !begin.starts_with(b"PROXY ") {
        return Err(Error::bad_input("it does not begin with a PROXY header"));
    }
    let mut line = begin.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LINE {
            return Err(Error::bad_input("its PROXY header is too long"));
        }
        line.push(stream.read_u8().await?);
    }
    first(&line).ok_or_else(|| Error::bad_input("its PROXY header of version 1 is not one"))
}

fn first(line: &[u8]) -> Option<Option<SocketAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let fields: Vec<&str> = line.split(' ').collect();
    match fields[..] {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", kind @ ("TCP4" | "TCP6"), from, _, port, _] => {
            let from: IpAddr = from.parse().ok()?;
            (from.is_ipv4() == (kind == "TCP4")).then_some(())?;
            Some(Some(SocketAddr::new(from.to_canonical(), port.parse().ok()?)))
        }
        _ => None,
    }
}

async fn second(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>> {
    let (version, family) = (stream.read_u8().await?, stream.read_u8().await?);
    let mut rest = vec![0; usize::from(stream.read_u16().await?)];
    if rest.len() > MOST {
        return Err(Error::bad_input("its PROXY header is too long"));
    }
    stream.read_exact(&mut rest).await?;
    let port = |at: usize| Some(u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?));
    let from = match (version, family >> 4) {
        // Its own, or none that we have a word for.
        (0x20, _) | (0x21, 0 | 3) => return Ok(None),
        (0x21, 1) => rest.first_chunk::<4>().map(|octets| IpAddr::from(*octets)).zip(port(8)),
        (0x21, 2) => rest.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into()).zip(port(32)),
        _ => None,
    };
    let from = from.ok_or_else(|| Error::bad_input("its PROXY header of version 2 is not one"))?;
    Ok(Some(SocketAddr::new(from.0.to_canonical(), from.1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Kind;

    fn of(bytes: &[u8]) -> Result<Option<SocketAddr>> {
        let mut rest = bytes;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(read(&mut rest));
        assert!(found.is_err() || rest == b"GET" || rest.is_empty(), "{rest:?}");
        found
    }

    fn v2(version: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version, family], &length, rest, b"GET"].concat()
    }

    #[test]
    fn both_versions_tell_who_is_there_and_leave_the_rest() {
        let four = Some("203.0.113.9:40000".parse().unwrap());
        assert_eq!(of(b"PROXY TCP4 203.0.113.9 10.0.0.1 40000 8443\r\nGET").unwrap(), four);
        let six = Some("[2001:db8::9]:1".parse().unwrap());
        assert_eq!(of(b"PROXY TCP6 2001:db8::9 ::1 1 8443\r\nGET").unwrap(), six);
        assert_eq!(of(b"PROXY UNKNOWN\r\nGET").unwrap(), None);
        let rest = [203, 0, 113, 9, 10, 0, 0, 1, 0x9C, 0x40, 0x20, 0xFB, 4, 0, 1, 7];
        assert_eq!(of(&v2(0x21, 0x11, &rest)).unwrap(), four);
        let mapped: Ipv6Addr = "::ffff:203.0.113.9".parse().unwrap();
        let rest = [&mapped.octets()[..], &[0; 16], &[0x9C, 0x40, 0, 1]].concat();
        assert_eq!(of(&v2(0x21, 0x21, &rest)).unwrap(), four);
        // The balancer looks whether we are there.
        assert_eq!(of(&v2(0x20, 0, &[])).unwrap(), None);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"PROXY TCP4 2001:db8::9 ::1 1 8443\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.1 70000 8443\r\n",
            b"PROXY TCP4 203.0.113.9\r\n",
            &[&b"PROXY TCP4 "[..], &[b'1'; 200]].concat(),
            &v2(0x21, 0x11, &[1, 2, 3]),
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; MOST + 1]),
        ] {
            assert_eq!(of(bytes).unwrap_err().kind(), Kind::BadInput, "{bytes:?}");
        }
        assert!(of(b"PROXY TCP4 203").is_err());
    }

    proptest! {
        #[test]
        fn anything_else_does_no_harm(begin in 0_usize..3, bytes: Vec<u8>) {
            let begin = [&b""[..], b"PROXY ", &SIGNATURE][begin];
            let _ = tokio::runtime::Builder::new_current_thread().build().unwrap()
                .block_on(read(&mut &[begin, &bytes].concat()[..]));
        }
    }
}
