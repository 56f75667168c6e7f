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
            "SELECT token, name, kind, url, sealed_url, sub_url, sealed_sub_url, user, password, audio, connect,
                    transport, onvif_host, onvif_port, onvif_path, onvif_trust, onvif_main, onvif_sub
             FROM sources ORDER BY position",
        )?;
        let rows = query.query_map([], |row| Ok((spec(row)?, Sealed::from_row(row)?)))?;
        rows.map(|row| {
            let (mut spec, sealed) = row?;
            match self.unseal(&spec.token, &sealed) {
                Ok([password, url, sub_url]) => {
                    spec.password = password;
                    if !url.is_empty() {
                        url.expose().clone_into(&mut spec.url);
                    }
                    if !sub_url.is_empty() {
                        spec.sub_url = Some(sub_url.expose().to_owned());
                    }
                }
                Err(error) => tracing::error!(token = spec.token, "camera password: {error}"),
            }
            Ok(spec)
        })
        .collect()
    }

    fn unseal(&self, token: &str, sealed: &Sealed) -> Result<[Secret; 3]> {
        Ok([
            self.seal.unseal(&sealed.password, token)?,
            self.seal.unseal(&sealed.url, &url_context(token))?,
            self.seal.unseal(&sealed.sub_url, &sub_url_context(token))?,
        ])
    }

    /// The secrets of `spec`: addresses only where something in them is masked.
    fn sealed(&self, spec: &SourceSpec) -> Result<Sealed> {
        let masked = |url: &str, shown: &str| match url == shown {
            true => Secret::default(),
            false => Secret::new(url),
        };
        let url = masked(&spec.url, &spec.shown_url());
        let sub_url = masked(spec.sub_url.as_deref().unwrap_or_default(), &spec.shown_sub_url());
        Ok(Sealed {
            password: self.seal.seal(&spec.password, &spec.token)?,
            url: self.seal.seal(&url, &url_context(&spec.token))?,
            sub_url: self.seal.seal(&sub_url, &sub_url_context(&spec.token))?,
        })
    }

    /// A source whose token begins as those of the site `site` do at a central.
    pub fn source_like_a_sites(&self, site: &str) -> Result<Option<String>> {
        let db = self.db();
        let mut query = db.prepare("SELECT token FROM sources WHERE substr(token, 1, length(?1)) = ?1")?;
        let mut rows = query.query([format!("{site}-")])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Adds a source at the end. `Refused` when its token is used.
    pub fn insert_source(&self, spec: &SourceSpec) -> Result<()> {
        let sealed = self.sealed(spec)?;
        let onvif = spec.onvif.as_ref();
        let added = self.db().execute(
            "INSERT INTO sources (token, name, kind, url, sealed_url, user, password, audio, connect, transport,
                                  onvif_host, onvif_port, onvif_path, onvif_trust, onvif_main, onvif_sub,
                                  sub_url, sealed_sub_url)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (token) DO NOTHING",
            params![
                spec.token,
                spec.name,
                spec.kind.as_str(),
                spec.shown_url(),
                sealed.url,
                spec.user,
                sealed.password,
                spec.audio,
                spec.connect.as_str(),
                spec.transport.as_str(),
                onvif.map(|onvif| &onvif.host),
                onvif.map(|onvif| onvif.port),
                onvif.map(|onvif| &onvif.path),
                onvif.map(|onvif| trust_column(&onvif.trust)),
                onvif.and_then(|onvif| onvif.main.as_ref()),
                onvif.and_then(|onvif| onvif.sub.as_ref()),
                spec.shown_sub_url(),
                sealed.sub_url,
            ],
        )?;
        match added {
            0 => Err(Error::refused(format!("token {} is used already", spec.token))),
            _ => Ok(()),
        }
    }

    /// Makes the source `old` what `new` says, which is of the same token and kind. Secrets that are the same
    /// are left as they stand: those of `old` are missing where they could not be decrypted. So is the pinned
    /// certificate of a camera. `NotFound` when there is none with this token.
    pub fn update_source(&self, old: &SourceSpec, new: &SourceSpec) -> Result<()> {
        let sealed = self.sealed(new)?;
        let (url, sub_url) = (new.url != old.url, new.sub_url != old.sub_url);
        let trust = |spec: &SourceSpec| spec.onvif.as_ref().map(|onvif| trust_column(&onvif.trust));
        let onvif = new.onvif.as_ref();
        let changed = self.db().execute(
            "UPDATE sources SET
                 name = ?2, user = ?3, audio = ?4, connect = ?5, transport = ?6,
                 url = coalesce(?7, url), sealed_url = coalesce(?8, sealed_url),
                 sub_url = coalesce(?9, sub_url), sealed_sub_url = coalesce(?10, sealed_sub_url),
                 password = coalesce(?11, password), onvif_trust = coalesce(?12, onvif_trust),
                 onvif_host = ?13, onvif_port = ?14, onvif_path = ?15, onvif_main = ?16, onvif_sub = ?17
             WHERE token = ?1",
            params![
                new.token,
                new.name,
                new.user,
                new.audio,
                new.connect.as_str(),
                new.transport.as_str(),
                url.then(|| new.shown_url()),
                url.then_some(sealed.url),
                sub_url.then(|| new.shown_sub_url()),
                sub_url.then_some(sealed.sub_url),
                (new.password != old.password).then_some(sealed.password),
                trust(new).filter(|_| trust(new) != trust(old)),
                onvif.map(|onvif| &onvif.host),
                onvif.map(|onvif| onvif.port),
                onvif.map(|onvif| &onvif.path),
                onvif.and_then(|onvif| onvif.main.as_ref()),
                onvif.and_then(|onvif| onvif.sub.as_ref()),
            ],
        )?;
        match changed {
            0 => Err(Error::not_found(format!("token {} is not known", new.token))),
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

/// What of a row is encrypted.
struct Sealed {
    password: Vec<u8>,
    url: Vec<u8>,
    sub_url: Vec<u8>,
}

impl Sealed {
    fn from_row(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            password: row.get("password")?,
            url: row.get("sealed_url")?,
            sub_url: row.get("sealed_sub_url")?,
        })
    }
}

/// A sealed address cannot stand in for a sealed password: tokens have no slash.
fn url_context(token: &str) -> String {
    format!("{token}/url")
}

fn sub_url_context(token: &str) -> String {
    format!("{token}/sub_url")
}

/// The row without its secrets.
fn spec(row: &Row) -> rusqlite::Result<SourceSpec> {
    Ok(SourceSpec {
        token: row.get("token")?,
        name: row.get("name")?,
        kind: named(row, "kind", SourceKind::parse)?,
        url: row.get("url")?,
        sub_url: Some(row.get("sub_url")?).filter(|url: &String| !url.is_empty()),
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
