//! Numbered migrations. Each is one file, runs once in one transaction together with the new number
//! in `user_version`, and is never edited after a release.

use rusqlite::Connection;

use crate::base::{Error, Result};

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_footage.sql"),
    include_str!("migrations/0003_totals.sql"),
    include_str!("migrations/0004_onvif.sql"),
];

/// Brings `db` up to date.
///
/// Errors: `Unsupported` when its number is above ours, that is when a newer h5edge wrote it: the
/// database is then left as it is, for an older program cannot know what it would break.
pub fn run(db: &mut Connection) -> Result<()> {
    let version: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = MIGRATIONS.get(version as usize..) else {
        return Err(Error::unsupported(format!(
            "the database is of version {version} and this h5edge knows only {}: \
             start the newer h5edge that wrote it, or restore a backup",
            MIGRATIONS.len()
        )));
    };
    for (number, migration) in (version + 1..).zip(missing) {
        let step = db.transaction()?;
        step.execute_batch(migration)
            .and_then(|()| step.pragma_update(None, "user_version", number))
            .and_then(|()| step.commit())
            .map_err(|error| Error::from(error).context(format!("migration {number}")))?;
    }
    Ok(())
}
