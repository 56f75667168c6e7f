//! The tables of `docs/onvif-peers.md`: the tests find what they say, and compare. With
//! `H5EDGE_WRITE_DOCS=1` they write it instead.

use std::{fs, path::Path, sync::Mutex};

const PAGE: &str = "docs/onvif-peers.md";

/// Tests run side by side.
static WRITING: Mutex<()> = Mutex::new(());

/// Compares the table between `<!-- name -->` and `<!-- /name -->` with `rows`.
pub fn check(name: &str, head: &[&str], rows: &[Vec<String>]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let _writing = WRITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let page = fs::read_to_string(&path).expect("the page");
    let (from, to) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = page.find(&from).expect("the table's start") + from.len();
    let end = page.find(&to).expect("the table's end");
    let found = markdown(head, rows);
    if std::env::var_os("H5EDGE_WRITE_DOCS").is_some() {
        let page = [&page[..start], &found, &page[end..]].concat();
        return fs::write(&path, page).expect("the page written");
    }
    let known = &page[start..end];
    let changed = found.lines().filter(|line| !known.lines().any(|other| other == *line));
    let changed: Vec<_> = changed.collect();
    let how = "H5EDGE_WRITE_DOCS=1 writes it anew";
    assert!(known == found, "{PAGE} says otherwise of {name} ({how}); found:\n{}", changed.join("\n"));
}

fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let mut text = line(&head) + &rule;
    for row in rows {
        assert_eq!(row.len(), head.len(), "{row:?}");
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text += &line(&cells);
    }
    text
}
