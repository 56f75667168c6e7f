//! The table `audit`: who changed what. Bounded by [`MOST`] rows.

use rusqlite::params;

use super::Store;
use crate::base::Result;
use crate::base::wall::Wall;

/// Rows that are kept: about 4 MB.
pub const MOST: u32 = 20_000;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// 0 before it is in the database.
    pub id: i64,
    pub at: Wall,
    pub user: String,
    pub peer: String,
    pub call: String,
    pub about: String,
    /// Empty: it was done.
    pub failure: String,
}

impl Store {
    /// Adds a row, and takes the oldest away where there are too many.
    pub fn insert_audit(&self, row: &AuditRow) -> Result<()> {
        let mut db = self.db();
        let step = db.transaction()?;
        step.prepare_cached(
            "INSERT INTO audit (at, user, peer, call, about, failure) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![row.at.0, row.user, row.peer, row.call, row.about, row.failure])?;
        step.prepare_cached("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1")?
            .execute([MOST])?;
        Ok(step.commit()?)
    }

    /// The newest first, at most `limit`; of `user` only, and only those before the row `before`, where given.
    pub fn find_audit(&self, user: Option<&str>, before: Option<i64>, limit: usize) -> Result<Vec<AuditRow>> {
        let db = self.reader();
        let mut query = db.prepare_cached(
            "SELECT id, at, user, peer, call, about, failure FROM audit
             WHERE (?1 IS NULL OR user = ?1) AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![user, before, limit], |row| {
            Ok(AuditRow {
                id: row.get(0)?,
                at: Wall(row.get(1)?),
                user: row.get(2)?,
                peer: row.get(3)?,
                call: row.get(4)?,
                about: row.get(5)?,
                failure: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let row = |id: i64, user: &str| AuditRow {
            id,
            at: Wall(id),
            user: user.into(),
            peer: "192.0.2.1".into(),
            call: "DelSrc".into(),
            about: "token=cam1".into(),
            failure: String::new(),
        };
        for id in 1..=3 {
            store.insert_audit(&row(id, if id == 2 { "eve" } else { "admin" })).unwrap();
        }
        assert_eq!(store.find_audit(None, None, 2).unwrap(), [row(3, "admin"), row(2, "eve")]);
        assert_eq!(store.find_audit(None, Some(2), 9).unwrap(), [row(1, "admin")]);
        assert_eq!(store.find_audit(Some("eve"), None, 9).unwrap(), [row(2, "eve")]);
        store.db().execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'audit'", [MOST + 1]).unwrap();
        store.insert_audit(&row(0, "admin")).unwrap();
        let ids: Vec<i64> = store.find_audit(None, None, 9).unwrap().iter().map(|row| row.id).collect();
        assert_eq!(ids, [i64::from(MOST) + 2, 3]);
    }
}
