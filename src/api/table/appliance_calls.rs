//! Calls: the settings of a box. Elsewhere they answer that this is none; only the network is told everywhere.

use super::*;
use crate::api::{network, ssh, time};

const INTERFACE: Param = must("interface", Kind::Text(15), "Its `strName`.");

pub static CALLS: &[Call] = &[
    Call {
        name: "GetNetwork",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The network `interfaces` of a box, as set (`strMethod`, `strSsid`) and as they are: `strName`, `strMac`, \
              `strType` (`ethernet`, `wifi`), `bUp`, `addresses` with the lengths of their prefixes, `strGateway`, \
              `dns`. While a change waits to be confirmed, `bTrial` is true and `nConfirmSeconds` is what is left. \
              Outside an appliance `bAppliance` is false and `strMethod` empty: the machine's own system sets it.",
        run: Run::Read(|ask| Box::pin(network::get(ask))),
    },
    Call {
        name: "SetNetwork",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            INTERFACE,
            must("method", Kind::OneOf(&["dhcp", "static", "off"]), "How it gets its addresses."),
            may(
                "address",
                Kind::Text(64),
                "With `static`, needed: address and length of the prefix, `192.168.1.5/24`.",
            ),
            may("gateway", Kind::Text(64), "With `static`: where everything else is sent."),
            may(
                "dns",
                Kind::Text(256),
                "With `static`: up to 4 addresses of name servers, with commas between.",
            ),
            may(
                "ssid",
                Kind::Text(32),
                "Of a wireless one: the network to join; default the one it is set to.",
            ),
            may(
                "psk",
                Kind::Secret(63),
                "Passphrase for `ssid`, 8 to 63 ASCII characters; without it, the network is open.",
            ),
        ],
        doc: "Tries a setting: it holds a moment after the answer, and unless ConfirmNetwork is called within \
              `nConfirmSeconds`, at the new address if it changes, all is as it was. So it is after a restart. Another \
              SetNetwork joins the trial, and the time starts anew.",
        run: Run::Change(|ask| Box::pin(network::set(ask))),
    },
    Call {
        name: "ConfirmNetwork",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "Keeps what SetNetwork tries.",
        run: Run::Change(|ask| Box::pin(network::confirm(ask))),
    },
    Call {
        name: "RevertNetwork",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "Ends what SetNetwork tries, a moment after the answer.",
        run: Run::Change(|ask| Box::pin(network::revert(ask))),
    },
    Call {
        name: "ScanWifi",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[INTERFACE],
        doc: "Wireless `networks` in reach, the strongest first: `strSsid`, `nSignal` in dBm, `bSecured`. Takes \
              some seconds.",
        run: Run::Read(|ask| Box::pin(network::scan(ask))),
    },
    Call {
        name: "GetTime",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "`strTime` in the box's zone `strZone`; `ntp`, the servers that were set (none: the built-in ones and \
              those of DHCP); `bSynchronised`.",
        run: Run::Read(|ask| Box::pin(time::get(ask))),
    },
    Call {
        name: "SetTime",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            may("zone", Kind::Text(64), "Time zone, `Europe/Berlin`."),
            may(
                "ntp",
                Kind::Text(2048),
                "Up to 8 NTP servers with commas between; `default` for the built-in ones.",
            ),
            may(
                "time",
                Kind::Text(64),
                "The time now, ISO 8601; without a zone it is the box's. Refused while an NTP server gives the time.",
            ),
        ],
        doc: "Sets what is given, at least one.",
        run: Run::Change(|ask| Box::pin(time::set(ask))),
    },
    Call {
        name: "GetHostname",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "`strHostname`, under which the box is found as `<name>.local`, and `strDefault`.",
        run: Run::Read(|ask| Box::pin(time::get_name(ask))),
    },
    Call {
        name: "SetHostname",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[may(
            "name",
            Kind::Text(63),
            "Letters, digits and inner dashes; empty or missing for the default.",
        )],
        doc: "Names the box.",
        run: Run::Change(|ask| Box::pin(time::set_name(ask))),
    },
    Call {
        name: "GetSsh",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "`bEnabled`; `keys` that may log in as root, with `strType`, `strFingerprint`, `strComment`; and \
              `strHostFingerprint`, empty until SSH was first on.",
        run: Run::Read(|ask| Box::pin(ssh::get(ask))),
    },
    Call {
        name: "SetSsh",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[may(
            "keys",
            Kind::Text(32768),
            "Up to 16 lines of authorized_keys without options: ssh-ed25519, ecdsa-sha2-nistp256, -384, -521, \
             or ssh-rsa of at least 2048 bits.",
        )],
        doc: "Turns SSH on for these keys and no others, or off without any. There is no log-in by password.",
        run: Run::Change(|ask| Box::pin(ssh::set(ask))),
    },
];
