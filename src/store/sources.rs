//! The table `sources`.

use rusqlite::{Row, params};

use super::{Store, named};
use crate::base::secret::Secret;
use crate::base::spec::{Connect, OnvifSpec, RtspTransport, SourceKind, SourceSpec, Trust};
use crate::base::{Error, Result};

impl Store {
    /// All sources, in the order in which they were added.
    ///
    /// One whose password cannot be decrypted comes without it, and is named in the log; its row
    /// stays, so that putting the right key back mends it.
    pub fn sources(&self) -> Result<Vec<SourceSpec>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT token, name, kind, url, sealed_url, user, password, audio, connect, transport,
                    onvif_host, onvif_port, onvif_path, onvif_trust, onvif_main, onvif_sub
             FROM sources ORDER BY position",
        )?;
        let rows = query.query_map([], |row| {
            Ok((spec(row)?, row.get::<_, Vec<u8>>("password")?, row.get::<_, Vec<u8>>("sealed_url")?))
        })?;
        rows.map(|row| {
            let (mut spec, password, url) = row?;
            match self.unseal(&spec.token, &password, &url) {
                Ok((password, url)) => {
                    spec.password = password;
                    if !url.is_empty() {
                        url.expose().clone_into(&mut spec.url);
                    }
                }
                Err(error) => tracing::error!(token = spec.token, "camera password: {error}"),
            }
            Ok(spec)
        })
        .collect()
    }

    fn unseal(&self, token: &str, password: &[u8], url: &[u8]) -> Result<(Secret, Secret)> {
        Ok((self.seal.unseal(password, token)?, self.seal.unseal(url, &url_context(token))?))
    }

    /// Adds a source at the end. `Refused` when its token is used.
    pub fn insert_source(&self, spec: &SourceSpec) -> Result<()> {
        let password = self.seal.seal(&spec.password, &spec.token)?;
        let shown = spec.shown_url();
        let secret = if shown == spec.url { Secret::default() } else { Secret::new(&*spec.url) };
        let sealed_url = self.seal.seal(&secret, &url_context(&spec.token))?;
        let onvif = spec.onvif.as_ref();
        let added = self.db().execute(
            "INSERT INTO sources (token, name, kind, url, sealed_url, user, password, audio, connect, transport,
                                  onvif_host, onvif_port, onvif_path, onvif_trust, onvif_main, onvif_sub)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
             ON CONFLICT (token) DO NOTHING",
            params![
                spec.token,
                spec.name,
                spec.kind.as_str(),
                shown,
                sealed_url,
                spec.user,
                password,
                spec.audio,
                spec.connect.as_str(),
                spec.transport.as_str(),
                onvif.map(|onvif| &onvif.host),
                onvif.map(|onvif| onvif.port),
                onvif.map(|onvif| &onvif.path),
                onvif.map(|onvif| trust_column(&onvif.trust)),
                onvif.and_then(|onvif| onvif.main.as_ref()),
                onvif.and_then(|onvif| onvif.sub.as_ref()),
            ],
        )?;
        match added {
            0 => Err(Error::refused(format!("token {} is used already", spec.token))),
            _ => Ok(()),
        }
    }

    /// Keeps the certificate that an ONVIF camera showed at its first connection.
    pub fn pin_source(&self, token: &str, pin: &str) -> Result<()> {
        self.db().execute(
            "UPDATE sources SET onvif_trust = ?2 WHERE token = ?1 AND onvif_trust = 'first_use'",
            params![token, trust_column(&Trust::Pinned(pin.to_owned()))],
        )?;
        Ok(())
    }

    /// Removes a source with its presets. `NotFound` when there is none with this token.
    pub fn delete_source(&self, token: &str) -> Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        change.execute("DELETE FROM presets WHERE source = ?1", [token])?;
        match change.execute("DELETE FROM sources WHERE token = ?1", [token])? {
            0 => Err(Error::not_found(format!("token {token} is not known"))),
            _ => change.commit().map_err(Error::from),
        }
    }
}

/// A sealed address cannot stand in for a sealed password: tokens have no slash.
fn url_context(token: &str) -> String {
    format!("{token}/url")
}

/// The row without its secrets.
fn spec(row: &Row) -> rusqlite::Result<SourceSpec> {
    Ok(SourceSpec {
        token: row.get("token")?,
        name: row.get("name")?,
        kind: named(row, "kind", SourceKind::parse)?,
        url: row.get("url")?,
        user: row.get("user")?,
        password: Secret::default(),
        audio: row.get("audio")?,
        connect: named(row, "connect", Connect::parse)?,
        transport: named(row, "transport", RtspTransport::parse)?,
        onvif: onvif(row)?,
    })
}

fn onvif(row: &Row) -> rusqlite::Result<Option<OnvifSpec>> {
    let Some(host) = row.get("onvif_host")? else { return Ok(None) };
    Ok(Some(OnvifSpec {
        host,
        port: row.get("onvif_port")?,
        path: row.get("onvif_path")?,
        trust: named(row, "onvif_trust", trust)?,
        main: row.get("onvif_main")?,
        sub: row.get("onvif_sub")?,
    }))
}

/// How a [`Trust`] stands in its column.
fn trust_column(trust: &Trust) -> String {
    match trust {
        Trust::Plain => "plain".into(),
        Trust::FirstUse => "first_use".into(),
        Trust::Any => "any".into(),
        Trust::Pinned(pin) => format!("pinned:{pin}"),
    }
}

/// The reverse of [`trust_column`].
fn trust(column: &str) -> Option<Trust> {
    match column {
        "plain" => Some(Trust::Plain),
        "first_use" => Some(Trust::FirstUse),
        "any" => Some(Trust::Any),
        _ => Some(Trust::Pinned(column.strip_prefix("pinned:")?.to_owned())),
    }
}
