//! What the daemon may ask of the helper that runs as root: a fixed list, so that whoever takes over the
//! daemon gets these and no more. One order and one answer a connection, each one line of JSON.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Longest order and longest answer, in bytes. A journal follows its answer and is longer.
pub const MAX_LINE: usize = 64 * 1024;

/// One order. Answers are named with each; all may fail with the [`Failure`] of the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// [`super::ports::State`]
    Network,
    /// Starts a trial of `link`; answers the seconds to confirm it in.
    SetNetwork {
        interface: String,
        link: Link,
    },
    ConfirmNetwork,
    RevertNetwork,
    /// A list of [`super::wifi::Found`].
    ScanWifi {
        interface: String,
    },
    /// [`super::clock::Time`]
    Time,
    /// `None` leaves as it is; at most 8 NTP servers; `at` in seconds since 1970.
    SetTime {
        zone: Option<String>,
        ntp: Option<Vec<String>>,
        at: Option<i64>,
    },
    /// [`super::clock::Name`]
    Name,
    /// `None` is the default name.
    SetName {
        name: Option<String>,
    },
    /// [`super::ssh::State`]
    Ssh,
    /// Lines of authorized_keys; none turns SSH off.
    SetSsh {
        keys: Vec<String>,
    },
    /// [`super::update::State`]
    Update,
    /// Checks the bundle that lies in the upload folder.
    CheckBundle,
    /// Installs the bundle that lies in the upload folder; goes on after the answer.
    InstallBundle,
    /// The other slot is started next.
    RollBack,
    /// This start was a good one ([`super::health`]).
    MarkGood,
    Reboot,
    PowerOff,
    /// Wipes the data partition at the next start, which it begins.
    FactoryReset,
    /// The newest `lines` of the journal follow the answer as text, until the end of the connection.
    Journal {
        lines: u32,
    },
}

/// How an interface gets its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub method: Method,
    /// For Wi-Fi: the network's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssid: Option<String>,
    /// For Wi-Fi: its passphrase; none for an open network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psk: Option<Passphrase>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Method {
    Dhcp,
    Static { address: IpAddr, prefix: u8, gateway: Option<IpAddr>, dns: Vec<IpAddr> },
    Off,
}

/// A Wi-Fi passphrase: written to the helper and its file, shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passphrase(String);

impl Passphrase {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::base::secret::MASK)
    }
}
