//! SSH: the keys that may log in, and the box's own. There are no passwords, and without keys there is
//! no server.

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::root::{RUN, Root};
use super::settings::Settings;
use super::units;
use crate::base::{Error, Result};

/// Most keys, and the longest line of one, in bytes.
pub const MAX_KEYS: usize = 16;
const MAX_LINE: usize = 4096;
/// Shorter RSA keys can be broken.
const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 16384;

const UNIT: &str = "h5edge-ssh.service";
/// Made by the server's unit when it is first started.
const HOST_KEY: &str = "/data/system/ssh/host_ed25519";

/// [`super::order::Order::Ssh`]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub keys: Vec<Key>,
    /// Of the box's own key, once there is one.
    pub host: Option<String>,
}

/// One key, as people compare it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub kind: String,
    /// `SHA256:` and base64, as `ssh-keygen -l` has it.
    pub fingerprint: String,
    pub comment: String,
}

/// What these lines of authorized_keys say.
///
/// # Errors
/// `BadInput` with the number of the line. Options in front of a key are refused: one is `command=`.
pub fn check(lines: &[String]) -> Result<Vec<Key>> {
    if lines.len() > MAX_KEYS {
        return Err(Error::bad_input(format!("parameter keys holds more than {MAX_KEYS} keys")));
    }
    let key = |(at, line): (usize, &String)| {
        key(line).map_err(|what| Error::bad_input(format!("parameter keys, line {}: {what}", at + 1)))
    };
    lines.iter().enumerate().map(key).collect()
}

fn key(line: &str) -> std::result::Result<Key, String> {
    if line.len() > MAX_LINE || line.chars().any(char::is_control) {
        return Err(format!("is longer than {MAX_LINE} bytes or holds a control character"));
    }
    let mut words = line.trim().splitn(3, ' ');
    let kind = words.next().unwrap_or_default();
    let shape = shape(kind).ok_or(
        "does not start with ssh-ed25519, ecdsa-sha2-nistp256, -384 or -521, or ssh-rsa; options are not taken",
    )?;
    let blob = BASE64_STANDARD.decode(words.next().unwrap_or_default()).map_err(|_| "is not base64")?;
    let mut rest = blob.as_slice();
    if field(&mut rest) != Some(kind.as_bytes()) {
        return Err("says one type in front and another inside".to_owned());
    }
    let sound = match shape {
        Shape::Ed25519 => field(&mut rest).is_some_and(|point| point.len() == 32),
        Shape::Ecdsa { curve, bytes } => {
            field(&mut rest) == Some(curve.as_bytes())
                && field(&mut rest).is_some_and(|point| point.len() == 1 + 2 * bytes && point[0] == 4)
        }
        Shape::Rsa => {
            let (exponent, modulus) = (field(&mut rest), field(&mut rest));
            let size = modulus.map_or(0, number_bits);
            if exponent.is_some() && size < MIN_RSA_BITS {
                return Err(format!("has {size} bits, too few: {MIN_RSA_BITS} is the least"));
            }
            exponent.is_some_and(|exponent| number_bits(exponent) > 1) && size <= MAX_RSA_BITS
        }
    };
    if !sound || !rest.is_empty() {
        return Err(format!("is no sound {kind} key"));
    }
    let comment = words.next().unwrap_or_default().trim().to_owned();
    Ok(Key { kind: kind.to_owned(), fingerprint: fingerprint(&blob), comment })
}

enum Shape {
    Ed25519,
    Ecdsa { curve: &'static str, bytes: usize },
    Rsa,
}

fn shape(kind: &str) -> Option<Shape> {
    Some(match kind {
        "ssh-ed25519" => Shape::Ed25519,
        "ecdsa-sha2-nistp256" => Shape::Ecdsa { curve: "nistp256", bytes: 32 },
        "ecdsa-sha2-nistp384" => Shape::Ecdsa { curve: "nistp384", bytes: 48 },
        "ecdsa-sha2-nistp521" => Shape::Ecdsa { curve: "nistp521", bytes: 66 },
        "ssh-rsa" => Shape::Rsa,
        _ => return None,
    })
}

/// The next `string` (RFC 4251 5): its length in 4 bytes, then itself.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (field, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = behind;
    Some(field)
}

fn number_bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}

fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", BASE64_STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// # Errors
/// Where a key in the settings is none.
pub fn state(root: &Root, settings: &Settings) -> Result<State> {
    Ok(State { keys: check(&settings.keys)?, host: host(root) })
}

fn host(root: &Root) -> Option<String> {
    let bytes = std::fs::read(root.at(HOST_KEY)).ok()?;
    host_fingerprint(&bytes)
}

/// From dropbear's file of a private key: type, then the length of private and public part in 4 bytes, then
/// 32 bytes of each.
fn host_fingerprint(mut rest: &[u8]) -> Option<String> {
    let kind = field(&mut rest)?;
    let public = field(&mut rest)?.get(32..64)?;
    let part = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    (kind == b"ssh-ed25519").then(|| fingerprint(&[part(kind), part(public)].concat()))
}

/// Writes the keys to where the server reads them.
///
/// # Errors
/// Names the file.
pub fn render(root: &Root, settings: &Settings) -> Result<()> {
    // dropbear trusts no file in a folder that others may write to.
    for folder in [format!("{RUN}/ssh"), format!("{RUN}/ssh/root")] {
        root.folder(&folder, 0o700)?;
    }
    let path = format!("{RUN}/ssh/root/authorized_keys");
    if settings.keys.is_empty() {
        return root.remove(&path);
    }
    let lines: String = settings.keys.iter().map(|line| format!("{}\n", line.trim())).collect();
    root.put(&path, &lines, 0o600)
}

/// Starts the server where there are keys, stops it where there are none. Sessions that are open end
/// with it, as they should when a key is taken away.
///
/// # Errors
/// Those of systemctl.
pub fn switch(root: &Root, settings: &Settings) -> Result<()> {
    units::tell(root, if settings.keys.is_empty() { "stop" } else { "restart" }, UNIT)
}

#[cfg(test)]
pub(super) mod tests;
