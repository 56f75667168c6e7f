//! docs/api.md, made from the table of calls so that it cannot disagree with it.

use std::fmt::Write;

use super::calls::{Access, Call, Kind, Param, Run};
use super::table::calls;

const HEAD: &str = "\
# The HTTP API

Made from `src/api/table.rs`, as `GET /api/v1/openapi.json` is too; `cargo test api_docs` says when it is out of date, and
`H5EDGE_WRITE_DOCS=1 cargo test api_docs` writes it anew.

A call is `GET` or `POST` `/api/v1/<name>?<parameter>=<value>&...`. With `POST`, parameters may also come as
a form body (`application/x-www-form-urlencoded`, at most 64 KiB). Answers are JSON followed by CRLF. A call
that fails answers HTTP 200 with `{\"bStatus\":false,\"strCode\":\"what was wrong\"}`; a missing or dead
session answers HTTP 401 with the same body.

- Names of calls are found in any case, under any path in front of `/api/v1/`, with doubled slashes and with
  blanks around them. Parameters may start at `?` or at the first `&`.
- Values are percent-encoded UTF-8. In a query a `+` is a plus sign; in a form body it is a blank. A `%` that
  no two hex digits follow stands for itself. Blanks around names and values are dropped, except around
  passwords. Control characters are refused, and so is a parameter that comes twice with different values.
- The address is at most 8 KiB long, with at most 64 parameters.
- The session comes as `session`, or in the header `Authorization: token <session>` (also `Bearer`).
  `undefined`, `null` and nothing at all mean none.
- A call that only reads ignores parameters that it does not know; a call that changes something refuses
  them, except names that start with `_`.
- With `require_session = false` every call passes without a session; with `anonymous_view = true` those
  do whose role is marked so.

Besides the calls: `GET /hls/v1/<token>/hls.m3u8` (TS) and `/hls/v2/<token>/hls.m3u8` (low-latency fMP4), and
WHEP at `POST /whep/<token>` with the session as `Bearer`. Both are for Viewers, and for anybody with
`anonymous_view`; failures have the fitting HTTP status.

";

/// The text of docs/api.md.
pub fn docs() -> String {
    let mut text = HEAD.to_owned();
    calls().for_each(|call| section(&mut text, call));
    text
}

fn section(text: &mut String, call: &Call) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "## {}\n\n{}\n", call.name, call.doc);
    let _ = writeln!(text, "- From: {}", call.origin);
    let _ = writeln!(text, "- Role: {}", role(call.access));
    if matches!(call.run, Run::Post(_) | Run::Upload(_)) {
        let _ = writeln!(text, "- By POST only");
    }
    let _ = writeln!(text);
    if !call.params.is_empty() {
        let _ = writeln!(text, "| parameter | needed | value | meaning |\n|---|---|---|---|");
        call.params.iter().for_each(|param| row(text, param));
        let _ = writeln!(text);
    }
}

fn row(text: &mut String, param: &Param) {
    let needed = if param.required { "yes" } else { "no" };
    let _ = writeln!(text, "| `{}` | {needed} | {} | {} |", param.name, value(param.kind), param.doc);
}

pub fn role(access: Access) -> String {
    match access {
        Access::Open => "none, and no session".into(),
        Access::Role(role) => role.as_str().into(),
        Access::View => "Viewer; anybody with `anonymous_view`".into(),
        Access::Own => "Viewer, also while the password must be changed".into(),
    }
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Text(max) => format!("text, at most {max} bytes"),
        Kind::Secret(max) => format!("secret text, at most {max} bytes"),
        Kind::Token | Kind::Site => "token: 1 to 64 of `A-Z a-z 0-9 . _ -`, no dot first".into(),
        Kind::Source => "token of a source; at a central also `<servertoken>-<token>`".into(),
        Kind::Sources => "the same, or `<servertoken>-*` for all sources of a site".into(),
        Kind::Flag => "`true` or `false`".into(),
        Kind::Whole(min, max) => format!("whole number, {min} to {max}"),
        Kind::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Ignored => "anything; ignored".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_docs_are_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");
        if std::env::var_os("H5EDGE_WRITE_DOCS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
            std::fs::write(path, docs()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == docs(), "docs/api.md is out of date: H5EDGE_WRITE_DOCS=1 cargo test api_docs");
    }
}
