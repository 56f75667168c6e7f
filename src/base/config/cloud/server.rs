//! `[cloud.server]`: a central server, alone or as one of several nodes.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::Url;

use crate::base::config::checks;
use crate::base::secret::Secret;

/// `[cloud.server]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct CloudServer {
    pub enabled: bool,
    /// How many boxes can be registered.
    #[serde(deserialize_with = "checks::within::<1, 100_000, _, _>")]
    pub max_sites: usize,
    /// Addresses of the NATS servers that join several nodes; empty: this central is alone.
    pub nats: Vec<String>,
    /// This node's name, which no other one has.
    pub node: String,
    pub nats_user: String,
    pub nats_password: Secret,
    /// PEM file with the authorities that may have signed the NATS servers' certificates; empty: the system's.
    pub nats_ca: PathBuf,
    /// Whether connections to NATS must be encrypted.
    pub nats_tls: bool,
    /// Where users, roles and sites lie that several nodes share.
    pub database: Database,
    /// Goes into `database`, for those who keep it out of the URL; empty once the file is read.
    pub database_password: Secret,
    /// PEM file with the authorities that may have signed the database server's certificate; empty: the
    /// system's.
    pub database_ca: PathBuf,
}

impl Default for CloudServer {
    fn default() -> Self {
        Self {
            enabled: false,
            max_sites: 20_000,
            nats: Vec::new(),
            node: String::new(),
            nats_user: String::new(),
            nats_password: Secret::default(),
            nats_ca: PathBuf::new(),
            nats_tls: true,
            database: Database::default(),
            database_password: Secret::default(),
            database_ca: PathBuf::new(),
        }
    }
}

/// A PostgreSQL database, from `postgres://user:password@host:port/name?sslmode=…`. The default is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// A name, or an IP address without brackets; empty: there is no database.
    pub host: String,
    pub port: u16,
    pub name: String,
    pub user: String,
    pub password: Secret,
    /// Whether the connection is encrypted and the server's certificate checked.
    pub tls: bool,
}

impl Database {
    /// Error texts say what is wrong and quote nothing, since there may be a password in it.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no URL such as postgres://user@host:5432/h5edge")?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err("does not start with postgres://");
        }
        let host = match url.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        };
        let name = plain(url.path().trim_start_matches('/'))?;
        let (user, password) = (plain(url.username())?, plain(url.password().unwrap_or_default())?);
        for (value, complaint) in
            [(&host, "has no host"), (&user, "has no user"), (&name, "names no database")]
        {
            if value.is_empty() {
                return Err(complaint);
            }
        }
        let mut tls = true;
        for (key, value) in url.query_pairs() {
            tls = match (&*key, &*value) {
                ("sslmode", "verify-full" | "require") => true,
                ("sslmode", "disable") => false,
                ("sslmode", _) => return Err("sslmode is none of verify-full, require, disable"),
                _ => return Err("only sslmode may stand behind the ?"),
            };
        }
        Ok(Self { host, port: url.port().unwrap_or(5432), name, user, password: Secret::new(password), tls })
    }

    pub fn is_none(&self) -> bool {
        self.host.is_empty()
    }
}

fn plain(part: &str) -> Result<String, &'static str> {
    let text = percent_encoding::percent_decode_str(part).decode_utf8().map_err(|_| "is not UTF-8")?;
    if text.contains('\0') { Err("holds a NUL byte") } else { Ok(text.into_owned()) }
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(from)?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::parse(text.expose()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
impl serde::Serialize for Database {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("")
    }
}

/// `[cloud.server]`, its password moved to where it belongs.
pub fn server<'de, D: Deserializer<'de>>(from: D) -> Result<CloudServer, D::Error> {
    let mut server = CloudServer::deserialize(from)?;
    let apart = std::mem::take(&mut server.database_password);
    if !apart.is_empty() {
        if server.database.is_none() {
            return Err(D::Error::custom("database_password is there without database"));
        }
        if !server.database.password.is_empty() {
            return Err(D::Error::custom("there is a password in database and in database_password"));
        }
        server.database.password = apart;
    }
    let (joined, named) = (!server.nats.is_empty(), !server.node.is_empty());
    match (joined, named, server.database.is_none()) {
        (true, false, _) => Err(D::Error::custom("nats needs node, the name of this one among them")),
        (true, true, true) => {
            Err(D::Error::custom("nats needs database, where the nodes keep what they share"))
        }
        _ => Ok(server),
    }
}

#[cfg(test)]
mod tests {
    use crate::base::config::Config;

    fn read(lines: &str) -> crate::base::Result<super::CloudServer> {
        Config::parse(&format!("[cloud.server]\n{lines}"), "h5edge.toml").map(|config| config.cloud.server)
    }

    #[test]
    fn the_database_is_an_address_with_its_password_kept() {
        let server = read("database = 'postgres://h5%40x:hunter%32@db.example/h5edge'").unwrap();
        let at = &server.database;
        assert_eq!((at.host.as_str(), at.port, at.name.as_str()), ("db.example", 5432, "h5edge"));
        assert_eq!((at.user.as_str(), at.password.expose(), at.tls), ("h5@x", "hunter2", true));
        assert!(!format!("{server:?}").contains("hunter"));
        let server =
            read("database = 'postgresql://u@[::1]:6000/d?sslmode=disable'\ndatabase_password = 'p'");
        let at = server.unwrap().database;
        assert_eq!((at.host.as_str(), at.port, at.password.expose(), at.tls), ("::1", 6000, "p", false));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (text, complaint) in [
            ("postgres://u:hunter2@h/d?sslmode=prefer", "sslmode is none of verify-full, require, disable"),
            ("postgres://u:hunter2@h/d?x=1", "only sslmode may stand behind the ?"),
            ("postgres://u:hunter2@h", "names no database"),
            ("postgres://:hunter2@h/d", "has no user"),
            ("mysql://u:hunter2@h/d", "does not start with postgres://"),
            ("u:hunter2@h:x", "does not start with postgres://"),
        ] {
            let error = read(&format!("database = '{text}'")).unwrap_err().to_string();
            assert!(error.contains("cloud.server") && error.contains(complaint), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let twice = read("database = 'postgres://u:a@h/d'\ndatabase_password = 'b'").unwrap_err().to_string();
        assert!(twice.contains("in database and in database_password"), "{twice}");
        assert!(read("database_password = 'b'").unwrap_err().to_string().contains("without database"));
    }
}
