//! The table `sites`: the edges that are registered with this central server.
//!
//! A source of an edge is called `<site>-<source>` here, in roles for instance, and `<site>-*` stands for all
//! of them. So that it can be told which site is meant, no token is another one's beginning up to a dash.

use super::Store;
use super::shared::{Row, Sql, Value};
use crate::base::wall::Wall;
use crate::base::{Error, Result};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRow {
    /// The server token.
    pub token: String,
    pub name: String,
    /// The edge's host id; empty before it was seen.
    pub uuid: String,
    /// Its Ed25519 public key, 64 characters of lowercase hex.
    pub key: String,
    pub enabled: bool,
    pub added: Wall,
    /// When it was connected last; `None`: never.
    pub seen: Option<Wall>,
    /// Its sources as it last told them, a JSON array.
    pub sources: String,
    /// Where it last came from; empty before it was seen.
    pub address: String,
}

/// That an edge is or was connected.
#[derive(Clone, Debug)]
pub struct SiteSeen {
    pub token: String,
    pub uuid: String,
    pub address: String,
    pub at: Wall,
}

const SELECT: &str = "SELECT token, name, uuid, key, enabled, added_ms, seen_ms, sources, address FROM sites";

/// Sites in one transaction: few enough for other changes not to wait long.
const AT_ONCE: usize = 500;

impl Store {
    /// All of them, by token.
    pub fn sites(&self) -> Result<Vec<SiteRow>> {
        let rows = self.ask(|sql| sql.query(&format!("{SELECT} ORDER BY token"), &[]))?;
        rows.iter().map(told).collect()
    }

    pub fn site(&self, token: &str) -> Result<Option<SiteRow>> {
        let row = self.ask(|sql| sql.first(&format!("{SELECT} WHERE token = $1"), &[Value::Text(token)]))?;
        row.as_ref().map(told).transpose()
    }

    /// The site whose edge has this public key.
    pub fn site_of_key(&self, key: &str) -> Result<Option<SiteRow>> {
        let row = self.ask(|sql| sql.first(&format!("{SELECT} WHERE key = $1"), &[Value::Text(key)]))?;
        row.as_ref().map(told).transpose()
    }

    /// Adds one. `Refused` when its token or key is in use, or when its token and another one's could be
    /// mistaken for each other, `Full` when there are `most` already.
    pub fn insert_site(&self, site: &SiteRow, most: usize) -> Result<()> {
        self.change(|sql| {
            sql.has_room("sites", most)?;
            is_distinct(sql, &site.token)?;
            if let Some(row) =
                sql.first("SELECT token FROM sites WHERE key = $1", &[Value::Text(&site.key)])?
            {
                let other = row.text(0)?;
                return Err(Error::refused(format!("parameter key: it is that of the site {other}")));
            }
            sql.execute(
                "INSERT INTO sites (token, name, uuid, key, enabled, added_ms, seen_ms, sources, address)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                &[
                    Value::Text(&site.token),
                    Value::Text(&site.name),
                    Value::Text(&site.uuid),
                    Value::Text(&site.key),
                    Value::Flag(site.enabled),
                    Value::Number(Some(site.added.0)),
                    Value::Number(site.seen.map(|at| at.0)),
                    Value::Text(&site.sources),
                    Value::Text(&site.address),
                ],
            )?;
            Ok(())
        })
    }

    /// # Errors
    /// `NotFound`
    pub fn rename_site(&self, token: &str, name: &str) -> Result<()> {
        self.set_site(token, "name", Value::Text(name))
    }

    /// # Errors
    /// `NotFound`
    pub fn enable_site(&self, token: &str, enabled: bool) -> Result<()> {
        self.set_site(token, "enabled", Value::Flag(enabled))
    }

    /// `sources` is a JSON array.
    ///
    /// # Errors
    /// `NotFound`
    pub fn set_site_sources(&self, token: &str, sources: &str) -> Result<()> {
        self.set_site(token, "sources", Value::Text(sources))
    }

    /// Notes who is or was connected; passes over those that are gone. Takes many at once, since each
    /// transaction waits for the disk: after a restart all sites come back within seconds.
    pub fn set_sites_seen(&self, seen: &[SiteSeen]) -> Result<()> {
        seen.chunks(AT_ONCE).try_for_each(|some| {
            self.change(|sql| {
                some.iter().try_for_each(|site| {
                    sql.execute(
                        "UPDATE sites SET uuid = $2, address = $3, seen_ms = $4 WHERE token = $1",
                        &[
                            Value::Text(&site.token),
                            Value::Text(&site.uuid),
                            Value::Text(&site.address),
                            Value::Number(Some(site.at.0)),
                        ],
                    )
                    .map(drop)
                })
            })
        })
    }

    /// Removes one, and its sources from all roles. `NotFound`
    pub fn delete_site(&self, token: &str) -> Result<()> {
        self.change(|sql| {
            found(token, sql.execute("DELETE FROM sites WHERE token = $1", &[Value::Text(token)])?)?;
            let (from, to) = range(token);
            sql.execute(
                "DELETE FROM role_sources WHERE source >= $1 AND source < $2",
                &[Value::Text(&from), Value::Text(&to)],
            )?;
            Ok(())
        })
    }

    fn set_site(&self, token: &str, column: &str, value: Value) -> Result<()> {
        let update = format!("UPDATE sites SET {column} = $2 WHERE token = $1");
        found(token, self.ask(|sql| sql.execute(&update, &[Value::Text(token), value]))?)
    }
}

/// What begins with `token` and a dash, from the first text to before the second: `.` follows `-`.
fn range(token: &str) -> (String, String) {
    (format!("{token}-"), format!("{token}."))
}

/// `Refused` when a site is called `token`, or one of the two is the other's beginning up to a dash.
fn is_distinct(sql: &dyn Sql, token: &str) -> Result<()> {
    let shorter = token.match_indices('-').map(|(dash, _)| &token[..dash]);
    for used in shorter.chain([token]) {
        if sql.first("SELECT token FROM sites WHERE token = $1", &[Value::Text(used)])?.is_some() {
            return Err(taken(token, used));
        }
    }
    let (from, to) = range(token);
    let longer = "SELECT token FROM sites WHERE token >= $1 AND token < $2 ORDER BY token LIMIT 1";
    match sql.first(longer, &[Value::Text(&from), Value::Text(&to)])? {
        Some(row) => Err(taken(token, &row.text(0)?)),
        None => Ok(()),
    }
}

fn taken(token: &str, other: &str) -> Error {
    Error::refused(match token == other {
        true => format!("parameter servertoken: {token} is in use"),
        false => {
            format!("parameter servertoken: {token} and the site {other} could be mistaken for each other")
        }
    })
}

fn found(token: &str, rows: u64) -> Result<()> {
    match rows {
        0 => Err(Error::not_found(format!("parameter servertoken: there is no site {token:.64}"))),
        _ => Ok(()),
    }
}

fn told(row: &Row) -> Result<SiteRow> {
    Ok(SiteRow {
        token: row.text(0)?,
        name: row.text(1)?,
        uuid: row.text(2)?,
        key: row.text(3)?,
        enabled: row.flag(4)?,
        added: Wall(row.number(5)?.unwrap_or_default()),
        seen: row.number(6)?.map(Wall),
        sources: row.text(7)?,
        address: row.text(8)?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::Kind;
    use crate::store::NewRole;
    use crate::store::shared::server::both;

    /// Its key made from `key`.
    fn site(token: &str, key: u8) -> SiteRow {
        SiteRow {
            token: token.into(),
            name: format!("Site {token}"),
            uuid: String::new(),
            key: format!("{key:064x}"),
            enabled: true,
            added: Wall(1_800_000_000_123),
            seen: None,
            sources: "[]".into(),
            address: String::new(),
        }
    }

    #[test]
    fn sites_come_back_as_they_were_put_in_and_changed() {
        both(|store| {
            let (mut yard, mill) = (site("yard", 1), site("mill", 2));
            store.insert_site(&yard, 9).unwrap();
            store.insert_site(&mill, 9).unwrap();
            assert_eq!(store.sites().unwrap(), [mill.clone(), yard.clone()]);
            store.rename_site("yard", "Hof").unwrap();
            store.enable_site("yard", false).unwrap();
            store.set_site_sources("yard", r#"[{"strToken":"cam1"}]"#).unwrap();
            let (uuid, address) = ("0b1c".to_owned(), "192.0.2.1:4711".to_owned());
            let seen = |token: &str| SiteSeen {
                token: token.into(),
                uuid: uuid.clone(),
                address: address.clone(),
                at: Wall(1_800_000_000_456),
            };
            store.set_sites_seen(&[seen("gone"), seen("yard")]).unwrap();
            store.set_sites_seen(&[]).unwrap();
            yard = SiteRow {
                name: "Hof".into(),
                enabled: false,
                sources: r#"[{"strToken":"cam1"}]"#.into(),
                seen: Some(Wall(1_800_000_000_456)),
                uuid: uuid.clone(),
                address: address.clone(),
                ..yard
            };
            assert_eq!(store.site("yard").unwrap(), Some(yard.clone()));
            assert_eq!(store.site_of_key(&yard.key).unwrap(), Some(yard.clone()));
            assert_eq!(store.site_of_key("gone").unwrap(), None);
            assert_eq!(store.sites().unwrap(), [mill, yard]);
            assert_eq!(store.site("gone").unwrap(), None);
            for change in [
                store.rename_site("gone", ""),
                store.enable_site("gone", true),
                store.set_site_sources("gone", "[]"),
                store.delete_site("gone"),
            ] {
                let error = change.unwrap_err();
                assert_eq!(error.kind(), Kind::NotFound);
                assert_eq!(error.to_string(), "parameter servertoken: there is no site gone");
            }
        });
    }

    #[test]
    fn no_two_sites_can_be_mistaken_for_each_other() {
        both(|store| {
            store.insert_site(&site("a-b", 1), 9).unwrap();
            for (token, key, complaint) in [
                ("a-b", 9, "parameter servertoken: a-b is in use"),
                ("a", 9, "parameter servertoken: a and the site a-b could be mistaken for each other"),
                (
                    "a-b-c",
                    9,
                    "parameter servertoken: a-b-c and the site a-b could be mistaken for each other",
                ),
                ("c", 1, "parameter key: it is that of the site a-b"),
            ] {
                let error = store.insert_site(&site(token, key), 9).unwrap_err();
                assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Refused, complaint));
            }
            // Alike, and yet told apart by the dash.
            for (key, token) in (2..).zip(["a.b", "a-bc", "b", "A", "aa", "a_b"]) {
                store.insert_site(&site(token, key), 9).unwrap();
            }
            let full = store.insert_site(&site("more", 99), 7).unwrap_err();
            assert_eq!((full.kind(), full.to_string()), (Kind::Full, "there are 7 sites already".to_owned()));
        });
    }

    #[test]
    fn a_sites_sources_leave_the_roles_with_it() {
        both(|store| {
            let role = |token: &str| NewRole {
                token: token.into(),
                name: "Gate".into(),
                level: "Viewer".into(),
                all_sources: false,
            };
            for (token, key) in [("yard", 1), ("yard2", 2)] {
                store.insert_site(&site(token, key), 9).unwrap();
            }
            let others = ["yard", "yard.cam", "yard2-cam", "yar", "YARD-cam"];
            for token in ["gate", "guard"] {
                store.insert_role(&role(token), 9).unwrap();
                for source in ["yard-*", "yard-cam1", "yard-"].into_iter().chain(others) {
                    store.add_role_source(token, source).unwrap();
                }
            }
            store.delete_site("yard").unwrap();
            for token in ["gate", "guard"] {
                let left = store.role(token).unwrap().sources.unwrap();
                assert_eq!(left, BTreeSet::from(others.map(str::to_owned)));
            }
            assert_eq!(store.sites().unwrap(), [site("yard2", 2)]);
        });
    }
}
