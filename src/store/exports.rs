//! The table `exports`: time spans that were, or are being, written into files of their own.

use rusqlite::{OptionalExtension, Row, params};

use super::Store;
use crate::base::wall::Wall;
use crate::base::{Error, Result};

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportState {
    /// Waiting or being written.
    Working,
    Done,
    /// With the reason.
    Failed(String),
}

impl ExportState {
    /// As in the API and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Done => "done",
            Self::Failed(_) => "failed",
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Failed(reason) => reason,
            Self::Working | Self::Done => "",
        }
    }
}

/// One export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub id: i64,
    pub token: String,
    /// With extension; one of a kind for its token.
    pub name: String,
    pub volume: String,
    /// Below the volume's root and below `/mediastore/`: `archive/token1/name.mp4`.
    pub path: String,
    /// When it was asked for.
    pub made: Wall,
    /// Length of the file; 0 before it is done.
    pub bytes: u64,
    pub state: ExportState,
}

const COLUMNS: &str = "id, token, name, volume, path, made_ms, bytes, state, reason";

impl Store {
    /// Adds an export that begins and gives its id (`export.id` and its state are not looked at).
    ///
    /// # Errors
    /// `Refused` when its source has one of that name.
    pub fn insert_export(&self, export: &Export) -> Result<i64> {
        let db = self.db();
        let added = db.execute(
            "INSERT INTO exports (token, name, volume, path, made_ms, bytes, state, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 'working', '') ON CONFLICT DO NOTHING",
            params![export.token, export.name, export.volume, export.path, export.made.0],
        )?;
        match added {
            0 => Err(Error::refused(format!("there is {} already", export.path))),
            _ => Ok(db.last_insert_rowid()),
        }
    }

    /// The export has come to its end.
    pub fn end_export(&self, id: i64, state: &ExportState, bytes: u64) -> Result<()> {
        self.db().execute(
            "UPDATE exports SET state = ?2, reason = ?3, bytes = ?4 WHERE id = ?1",
            params![id, state.as_str(), state.reason(), bytes as i64],
        )?;
        Ok(())
    }

    pub fn delete_export(&self, id: i64) -> Result<()> {
        self.db().execute("DELETE FROM exports WHERE id = ?1", [id])?;
        Ok(())
    }

    pub fn export(&self, token: &str, name: &str) -> Result<Option<Export>> {
        let sql = format!("SELECT {COLUMNS} FROM exports WHERE token = ?1 AND name = ?2");
        Ok(self.db().query_row(&sql, [token, name], export).optional()?)
    }

    pub fn export_by_path(&self, path: &str) -> Result<Option<Export>> {
        let sql = format!("SELECT {COLUMNS} FROM exports WHERE path = ?1");
        Ok(self.db().query_row(&sql, [path], export).optional()?)
    }

    /// All of a source, or of all sources, oldest first.
    pub fn exports(&self, token: Option<&str>) -> Result<Vec<Export>> {
        let sql =
            format!("SELECT {COLUMNS} FROM exports WHERE ?1 IS NULL OR token = ?1 ORDER BY made_ms, id");
        let db = self.db();
        let mut query = db.prepare(&sql)?;
        let rows = query.query_map([token], export)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn export(row: &Row) -> rusqlite::Result<Export> {
    let reason: String = row.get(8)?;
    let state = match row.get::<_, String>(7)?.as_str() {
        "working" => ExportState::Working,
        "done" => ExportState::Done,
        _ => ExportState::Failed(reason),
    };
    Ok(Export {
        id: row.get(0)?,
        token: row.get(1)?,
        name: row.get(2)?,
        volume: row.get(3)?,
        path: row.get(4)?,
        made: Wall(row.get(5)?),
        bytes: row.get::<_, i64>(6)?.max(0) as u64,
        state,
    })
}
