//! `h5edge health`: whether this start of the box was a good one. It asks the daemon (`GetHealth`) until all
//! is well, and has the helper mark the running slot good; without that, the boot loader falls back to
//! the other slot after three starts. The helper has to answer as well: a system that cannot take orders
//! cannot be updated.
//!
//! One question at a time, one thread; an answer is at most [`MAX_ANSWER`] bytes.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime;

use super::Appliance;
use super::order::Order;
use super::proven::{Illness, Proven, when_ill};
use super::rauc::Rauc;
use super::root::Root;
use super::update::State;
use crate::base::config::Config;
use crate::base::{Error, Result};

/// Since this began, which is after the daemon said that it is ready.
const PATIENCE: Duration = Duration::from_secs(120);
const REST: Duration = Duration::from_secs(2);
/// For one answer: the daemon decodes a picture meanwhile.
const ANSWER: Duration = Duration::from_secs(20);
const MAX_ANSWER: u64 = 64 << 10;

/// What became of a start.
#[derive(Debug)]
pub enum Verdict {
    /// The slot that was marked good.
    Well(String),
    /// What was not well; what there is to do about it was done.
    Ill(Error),
}

/// See the module.
///
/// # Errors
/// Why there is no verdict.
pub fn run(root: &Root) -> Result<Verdict> {
    let config = Config::load(Some(&root.at("/etc/h5edge/h5edge.toml")))?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let appliance = Appliance::new(config.appliance.socket());
    let address = SocketAddr::new(own_address(config.http.bind), config.http.port);
    let mark = || runtime.block_on(appliance.ask::<String>(&Order::MarkGood));
    let end = Instant::now() + PATIENCE;
    let why = loop {
        match ask(address).and_then(|()| mark()) {
            Ok(slot) => return Ok(Verdict::Well(slot)),
            Err(error) if Instant::now() > end => break error,
            Err(_) => std::thread::sleep(REST),
        }
    };
    let given_up = runtime.block_on(give_up(root));
    given_up.map_err(|error| error.context(format!("{why}; and nothing can be done about it")))?;
    Ok(Verdict::Ill(why))
}

/// Where the daemon listens, as seen from here.
fn own_address(bind: IpAddr) -> IpAddr {
    if bind.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { bind }
}

/// Whether the daemon is well.
fn ask(address: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    stream.write_all(b"GET /api/v1/GetHealth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    judge(&answer)
}

/// A whole HTTP answer: all is well, or what is not.
fn judge(answer: &[u8]) -> Result<()> {
    let odd = || Error::internal("the daemon's answer is odd");
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").ok_or_else(odd)?;
    let body: Value = serde_json::from_slice(&answer[end..]).map_err(|_| odd())?;
    match body["bStatus"].as_bool() {
        Some(true) => Ok(()),
        _ => {
            Err(Error::internal(body["strCode"].as_str().unwrap_or("the daemon does not say why").to_owned()))
        }
    }
}

/// Starts again where that leads to a system that worked.
async fn give_up(root: &Root) -> Result<()> {
    let rauc = Rauc::connect().await?;
    let state = rauc.state(&State::default()).await?;
    let known = Proven::read(root);
    let is_known = known.is_ok();
    let state = known.map_or_else(|_| state.clone(), |proven| proven.mark(state.clone()));
    match when_ill(&state, is_known) {
        Illness::Restart => {
            eprintln!("this system never worked: starting again, so that the boot loader can fall back");
            root.run("systemctl", &["reboot"], ANSWER).map(drop)
        }
        // What ails a system that has worked (a full disk, say) would ail the other one too.
        Illness::StayProven => rauc.mark_good().await,
        Illness::Stay => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_is_well() {
        let judge = |body: &str| judge(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes());
        assert!(judge("{\"bStatus\":true}\r\n").is_ok());
        let why = judge("{\"bStatus\":false,\"strCode\":\"no picture\"}").unwrap_err().to_string();
        assert_eq!(why, "no picture");
        for odd in ["", "{}", "{\"bStatus\":1}", "<html>"] {
            assert!(judge(odd).is_err(), "{odd}");
        }
        assert!(super::judge(b"").is_err());
    }

    #[test]
    fn the_daemon_is_asked_where_it_listens() {
        assert_eq!(own_address("0.0.0.0".parse().unwrap()), Ipv4Addr::LOCALHOST);
        assert_eq!(own_address("::".parse().unwrap()), Ipv4Addr::LOCALHOST);
        let one: IpAddr = "192.0.2.7".parse().unwrap();
        assert_eq!(own_address(one), one);
    }
}
