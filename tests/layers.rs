//! Holds the code to the folder table of docs/architecture.md, and files to a readable size.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file that is longer has more than one subject.
const MAX_LINES: usize = 500;

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Folder to the folders that it may use, from the handbook's table.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    fs::read_to_string("docs/architecture.md")
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let uses = cells[2].split(", ").filter(|name| *name != "–").map(str::to_owned).collect();
            (cells[0].trim_matches('`').to_owned(), uses)
        })
        .collect()
}

/// Names after each `crate::` in `text`, also inside `use crate::{a, b}`.
fn imports(text: &str) -> BTreeSet<String> {
    let first = |path: &str| path.trim().split("::").next().unwrap_or("").to_owned();
    text.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(inner) => inner.split('}').next().unwrap_or("").split(',').map(first).collect::<Vec<_>>(),
            None => {
                vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned()]
            }
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn imports_follow_the_folder_table() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    for (folder, uses) in &allowed {
        for file in rust_files(&Path::new("src").join(folder)) {
            for import in imports(&fs::read_to_string(&file).unwrap()) {
                if allowed.contains_key(&import) && import != *folder && !uses.contains(&import) {
                    wrong.push(format!("{} uses {import}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_folder_is_in_the_table() {
    let folders: BTreeSet<_> = fs::read_dir("src")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, allowed().into_keys().collect());
}

#[test]
fn only_the_store_speaks_sql() {
    for file in rust_files(Path::new("src")) {
        // Error conversion lives in base, and tests may look into the database behind the store's back.
        let excepted =
            file.starts_with("src/store") || file.ends_with("base/error.rs") || file.ends_with("tests.rs");
        if !excepted {
            let text = fs::read_to_string(&file).unwrap();
            for database in ["rusqlite", "tokio_postgres"] {
                assert!(!text.contains(database), "{} uses {database}", file.display());
            }
        }
    }
}

#[test]
fn files_have_one_subject() {
    for dir in ["src", "tests", "examples", "benches"] {
        for file in rust_files(Path::new(dir)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= MAX_LINES, "{} has {lines} lines", file.display());
        }
    }
}
