//! Who changed what: every call that changes something is kept with who made it, from where, about what and
//! how it ended; log-ins too. What is refused for want of a right is kept as well, what comes without a session
//! is not: anybody can send that.
//!
//! A row is written before the call is answered. Where that fails, the log says so and the call stands.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Context;
use super::calls::{Admitted, Answer, Answering, Call, Denied, Kind, Run};
use super::params::{Params, SESSION};
use super::request::{Ask, Incoming};
use crate::base::secret::{MASK, redact_url};
use crate::base::wall::Offset;
use crate::base::{Error, Result};
use crate::store::AuditRow;

/// Most entries in one answer, and how many there are without a number.
pub const MOST: u32 = 1000;
const USUAL: usize = 200;
/// Steering happens many times a minute and changes nothing that stays.
const NOT_KEPT: [&str; 1] = ["Ptz"];
/// Longest value of a parameter, and longest text of all of them, in bytes.
const MAX_VALUE: usize = 100;
const MAX_ABOUT: usize = 400;

/// An entry, until it is known how the call ended.
pub struct Entry {
    ctx: Arc<Context>,
    row: AuditRow,
}

impl Entry {
    /// `None` for calls that are not kept.
    fn of(ctx: &Arc<Context>, call: &Call, incoming: &Incoming) -> Option<Self> {
        let changes = matches!(call.run, Run::Change(_) | Run::Post(_) | Run::Upload(_))
            && !NOT_KEPT.contains(&call.name);
        let id = incoming.params.get(SESSION).filter(|_| changes)?;
        let user = ctx.auth.session(id).ok()?.user;
        Some(Self::new(ctx, call.name, incoming, user, about(call, &incoming.params)))
    }

    /// A log-in of `user`, who may not be one.
    pub fn login(ask: &Ask, user: &str) -> Self {
        Self::new(&ask.ctx, "Login", &ask.incoming, cut(user, MAX_VALUE).to_owned(), String::new())
    }

    fn new(ctx: &Arc<Context>, call: &str, incoming: &Incoming, user: String, about: String) -> Self {
        let row = AuditRow {
            id: 0,
            at: ctx.recorder.clock.wall().into(),
            user,
            peer: incoming.peer.ip().to_canonical().to_string(),
            call: call.to_owned(),
            about,
            failure: String::new(),
        };
        Self { ctx: ctx.clone(), row }
    }

    /// Keeps it, with why the call failed if it did.
    pub async fn end(mut self, failure: Option<&Error>) {
        self.row.failure =
            failure.map(|error| cut(&error.to_string(), MAX_ABOUT).to_owned()).unwrap_or_default();
        let row = self.row;
        if let Err(error) = self.ctx.store.run(move |store| store.insert_audit(&row)).await {
            tracing::error!("the audit list was not written: {error}");
        }
    }
}

/// [`Call::admit`], which keeps a refusal.
///
/// # Errors
/// As there.
pub async fn admit(
    call: &'static Call,
    ctx: Arc<Context>,
    incoming: Incoming,
) -> Admitted<(Ask, Option<Entry>)> {
    let entry = Entry::of(&ctx, call, &incoming);
    match (call.admit(ctx, incoming), entry) {
        (Ok(ask), entry) => Ok((ask, entry)),
        (Err(Denied::Fault(error)), Some(entry)) => {
            entry.end(Some(&error)).await;
            Err(error.into())
        }
        (Err(why), _) => Err(why),
    }
}

/// `change`, whose end is kept.
pub fn kept(change: Answering, entry: Option<Entry>) -> Answering {
    Box::pin(async move {
        let answer = change.await;
        if let Some(entry) = entry {
            // A site, or a camera, may have refused it.
            let refused = match &answer {
                Ok(Answer::Json(answer)) if answer["bStatus"] == false => {
                    Some(Error::refused(answer["strCode"].as_str().unwrap_or_default()))
                }
                _ => None,
            };
            entry.end(answer.as_ref().err().or(refused.as_ref())).await;
        }
        answer
    })
}

/// `name=value` of what the call is about. What it does not know may be a secret under a wrong name.
fn about(call: &Call, params: &Params) -> String {
    let mut text = String::new();
    for name in params.names().filter(|name| *name != SESSION && !name.starts_with('_')) {
        let value = params.get(name).unwrap_or_default();
        let shown = match call.params.iter().find(|param| param.name == name).map(|param| param.kind) {
            None | Some(Kind::Secret(_)) => MASK.to_owned(),
            Some(_) => redact_url(value),
        };
        let blank = if text.is_empty() { "" } else { " " };
        let pair = format!("{blank}{}={}", cut(name, MAX_VALUE), cut(&shown, MAX_VALUE));
        if text.len() + pair.len() > MAX_ABOUT {
            text.push_str(" …");
            break;
        }
        text.push_str(&pair);
    }
    text
}

/// At most the first `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// `GetAuditList`
pub async fn list(ask: Ask) -> Result<Answer> {
    let number = |name: &str| {
        let bad = |_| Error::bad_input(format!("parameter {name} is not the strNext of an answer"));
        ask.get(name).map(|text| text.parse::<i64>().map_err(bad)).transpose()
    };
    let (user, before) = (ask.get("user").map(str::to_owned), number("next")?);
    let limit = ask.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(USUAL);
    // One more than wanted tells whether there are more.
    let found = ask.ctx.store.run(move |store| store.find_audit(user.as_deref(), before, limit + 1));
    let mut found = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut answer = json!({
        "bStatus": true,
        "strCode": "",
        "audit": found.iter().map(item).collect::<Vec<_>>(),
        "bMore": more,
    });
    if let (true, Some(last)) = (more, found.last()) {
        answer["strNext"] = last.id.to_string().into();
    }
    Ok(Answer::Json(answer))
}

fn item(row: &AuditRow) -> Value {
    json!({
        "strTime": row.at.iso(Offset::local(row.at)),
        "strUser": row.user,
        "strAddress": row.peer,
        "strCall": row.call,
        "strAbout": row.about,
        "bDone": row.failure.is_empty(),
        "strFailure": row.failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::calls::find;
    use crate::api::params::Encoding;

    fn shown(call: &str, query: &str) -> String {
        about(find(call).unwrap(), &Params::parse(query, Encoding::Query).unwrap())
    }

    #[test]
    fn what_a_call_was_about_is_shown_without_secrets() {
        assert_eq!(shown("DelSrc", "session=s&token=cam1&_=17"), "token=cam1");
        let add = shown("AddSrcRTSP", "user=u&password=hunter2&url=rtsp://u:hunter3@h/x");
        assert_eq!(add, "user=u password=****** url=rtsp://u:******@h/x");
        let update = shown("UpdateUser", "user=u&oldpassword=hunter2&newpassword=hunter3");
        assert_eq!(update, "user=u oldpassword=****** newpassword=******");
        assert_eq!(shown("SetNetwork", "ssid=net&psk=hunter2"), "ssid=net psk=******");
        assert_eq!(shown("SetCertificate", "key=hunter2"), "key=******");
        assert_eq!(
            shown("DelSrc", "token=a&Password=hunter2&pin=hunter3"),
            "token=a Password=****** pin=******"
        );
    }

    #[test]
    fn it_is_short_whatever_came() {
        let long = shown("AddSrcFile", &format!("name={}&url={}", "ä".repeat(500), "x".repeat(500)));
        assert!(long.len() <= 2 * (MAX_VALUE + 10), "{long}");
        let many: String = (0..60).map(|number| format!("p{number}={}&", "y".repeat(50))).collect();
        assert!(shown("DelSrc", &many).len() <= MAX_ABOUT + 5);
    }
}
