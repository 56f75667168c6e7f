//! Numbered migrations. Each is one file, runs once in one transaction together with the new number
//! in `user_version`, and is never edited after a release.

use rusqlite::Connection;

use crate::base::{Error, Result};

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_footage.sql"),
    include_str!("migrations/0003_totals.sql"),
    include_str!("migrations/0004_onvif.sql"),
    include_str!("migrations/0005_roles.sql"),
    include_str!("migrations/0006_audit.sql"),
    include_str!("migrations/0007_views.sql"),
    include_str!("migrations/0008_sites.sql"),
];

/// Brings `db` up to date.
///
/// Errors: as [`missing`].
pub fn run(db: &mut Connection) -> Result<()> {
    let version: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (number, migration) in (version + 1..).zip(missing(MIGRATIONS, version)?) {
        let step = db.transaction()?;
        step.execute_batch(migration)
            .and_then(|()| step.pragma_update(None, "user_version", number))
            .and_then(|()| step.commit())
            .map_err(|error| Error::from(error).context(format!("migration {number}")))?;
    }
    Ok(())
}

/// Those of `all` that a database of `version` lacks.
///
/// Errors: `Unsupported` when its number is above ours, that is when a newer h5edge wrote it: the
/// database is then left as it is, for an older program cannot know what it would break.
pub fn missing<'a>(all: &'a [&'a str], version: u32) -> Result<&'a [&'a str]> {
    all.get(version as usize..).ok_or_else(|| {
        Error::unsupported(format!(
            "the database is of version {version} and this h5edge knows only {}: \
             start the newer h5edge that wrote it, or restore a backup",
            all.len()
        ))
    })
}
