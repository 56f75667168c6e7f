//! What a call is: its name, who may make it, which parameters it takes and what runs. The list of
//! them is [`super::table::calls`], the single truth for role checks, parameter faults and docs/api.md.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde_json::Value;
use warp::reply::Response;

use super::Context;
use super::opening::Opening;
use super::params::{Params, SESSION};
use super::request::{Ask, Incoming};
use super::table::calls;
use crate::auth::{Role, Session};
use crate::base::spec::MAX_TOKEN;
use crate::base::{Error, Result};

/// One call of the HTTP API.
#[derive(Debug)]
pub struct Call {
    /// As the manual spells it; found without regard to case.
    pub name: &'static str,
    /// Manual section, or where else the call is known from.
    pub origin: &'static str,
    pub access: Access,
    pub params: &'static [Param],
    /// One or two sentences for docs/api.md.
    pub doc: &'static str,
    pub run: Run,
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a session.
    Open,
    /// Whoever has a session with at least this role.
    Role(Role),
    /// As `Role(Viewer)`, and anybody where `anonymous_view` is on.
    View,
    /// As `Role(Viewer)`, and also a session that must change its password first.
    Own,
}

/// One parameter of a call.
#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub required: bool,
    pub kind: Kind,
    pub doc: &'static str,
}

/// What a parameter's value must look like.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text of at most this many bytes.
    Text(usize),
    /// The same, and nobody else's business: a password or a key. Shown in no log and no list.
    Secret(usize),
    /// A token: 1 to 64 of `A-Z a-z 0-9 . _ -`, not starting with a dot.
    Token,
    /// The token of a source that there is or was, and which the user may see; at a central also one of a site,
    /// `<servertoken>-<token>`.
    Source,
    /// The token of a source as roles have them: also `<servertoken>-*`, all sources of a site.
    Sources,
    /// The token of a site at which the call acts.
    Site,
    /// `true` or `false` (also `1` and `0`).
    Flag,
    /// A whole number between two bounds, inclusive.
    Whole(u32, u32),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Taken and not looked at: clients send it, and it means nothing here.
    Ignored,
}

/// The future of a handler.
pub type Answering = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

/// What runs when the call is made.
#[derive(Debug)]
pub enum Run {
    /// Reads only: a parameter it does not know is ignored, pages add all sorts of them.
    Read(fn(Ask) -> Answering),
    /// As `Read`, and what it gives is a file of that type.
    File(&'static str, fn(Ask) -> Answering),
    /// Changes something: a parameter it does not know is refused, since it is mostly the rest of
    /// a URL whose `&` was not encoded.
    Change(fn(Ask) -> Answering),
    /// As `Change`, and by POST only: what it is given must not stand in an address.
    Post(fn(Ask) -> Answering),
    /// Changes something and takes a body of its own, which the handler bounds.
    Upload(fn(Ask, Upload) -> Answering),
    /// A WebSocket.
    Socket(fn(&Ask, Opening) -> Result<Response>),
}

/// A body on its way.
pub struct Upload {
    /// What `Content-Length` says.
    pub length: Option<u64>,
    pub body: BoxStream<'static, Result<Bytes>>,
}

/// What a handler gives back.
#[derive(Debug)]
pub enum Answer {
    Json(Value),
    /// What a site gave, as it comes.
    Passed(Box<Response>),
    Jpeg(Bytes),
    /// The same, of what has been: the asker's own cache may keep it for an hour.
    PastJpeg(Bytes),
    /// A file to keep.
    Text {
        name: &'static str,
        text: Bytes,
    },
}

impl Answer {
    /// `{"bStatus":true,"strCode":text}`
    pub fn done(text: &str) -> Self {
        Self::Json(serde_json::json!({ "bStatus": true, "strCode": text }))
    }
}

/// Why a call is not made.
#[derive(Debug)]
pub enum Denied {
    /// No session, or a dead one: HTTP 401.
    NoSession(&'static str),
    /// Anything else: HTTP 200 with `bStatus:false`.
    Fault(Error),
}

/// Something that may be denied.
pub type Admitted<T> = std::result::Result<T, Denied>;

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

/// The call of that name, in any case.
pub fn find(name: &str) -> Option<&'static Call> {
    calls().find(|call| call.name.eq_ignore_ascii_case(name))
}

impl Call {
    /// Checks session, role and parameters: everything that the table says about the call.
    ///
    /// # Errors
    /// [`Denied`], with a text that names what is wrong.
    pub fn admit(&'static self, ctx: Arc<Context>, incoming: Incoming) -> Admitted<Ask> {
        let session = self.access.permit(&ctx, &incoming.params, self.name)?;
        self.check(&incoming.params)?;
        let ask = Ask { ctx, incoming, session };
        // A socket tells its client itself, once it is open.
        if !matches!(self.run, Run::Socket(_)) {
            let sources = self.params.iter().filter(|param| matches!(param.kind, Kind::Source));
            for token in sources.filter_map(|param| ask.get(param.name)) {
                ask.may_see(token)?;
            }
        }
        Ok(ask)
    }

    fn check(&self, given: &Params) -> Result<()> {
        for param in self.params {
            match given.get(param.name) {
                Some(value) => param
                    .kind
                    .check(value)
                    .map_err(|e| Error::bad_input(format!("parameter {} {e}", param.name)))?,
                None if param.required => {
                    return Err(Error::bad_input(format!("parameter {} is missing", param.name)));
                }
                None => {}
            }
        }
        match self.run {
            Run::Change(_) | Run::Post(_) | Run::Upload(_) => self.check_names(given),
            _ => Ok(()),
        }
    }

    /// Whether all of `given` are known to the call, for those that change something and those that ask for it.
    ///
    /// # Errors
    /// `BadInput` naming the one that is not.
    ///
    /// Names that start with an underscore are cache breakers of client libraries.
    pub fn check_names(&self, given: &Params) -> Result<()> {
        let known = |name: &str| {
            name == SESSION || name.starts_with('_') || self.params.iter().any(|p| p.name == name)
        };
        match given.names().find(|name| !known(name)) {
            Some(name) => Err(Error::bad_input(format!(
                "parameter {name} is not known to {}; an & inside a value must be sent as %26",
                self.name
            ))),
            None => Ok(()),
        }
    }
}

impl Access {
    /// The session that `params` name, if it suffices for `what`; `None` where none is needed.
    ///
    /// # Errors
    /// `NoSession` without a live session, a fault when its role does not suffice or its password must
    /// be changed first.
    pub fn permit(self, ctx: &Context, params: &Params, what: &str) -> Admitted<Option<Session>> {
        let session = params.get(SESSION).and_then(|id| ctx.auth.session(id).ok());
        let needed = match self {
            Self::Open => return Ok(session),
            _ if !ctx.config.auth.require_session => return Ok(session),
            Self::View if ctx.config.auth.anonymous_view && !ctx.auth.setup().required => return Ok(session),
            Self::Role(role) => role,
            Self::View | Self::Own => Role::Viewer,
        };
        let session = session.ok_or(Denied::NoSession("session is missing or has expired"))?;
        if session.must_change_password && self != Self::Own {
            return Err(Error::refused("the password must be changed first, see UpdateUser").into());
        }
        if session.role < needed {
            let text = format!("{what} needs the role {}", needed.as_str());
            return Err(Error::refused(text).into());
        }
        Ok(Some(session))
    }
}

impl Kind {
    /// # Errors
    /// What is wrong with `value`, as the end of a sentence that starts with the parameter's name.
    pub fn check(self, value: &str) -> std::result::Result<(), String> {
        match self {
            Self::Text(max) | Self::Secret(max) if value.len() > max => {
                Err(format!("is longer than {max} bytes"))
            }
            Self::Token | Self::Site => check_token(value, MAX_TOKEN),
            Self::Source => check_token(value, MAX_MAPPED),
            Self::Sources => check_token(value.strip_suffix("-*").unwrap_or(value), MAX_MAPPED),
            Self::Flag if flag(value).is_none() => Err("is neither true nor false".into()),
            Self::Whole(min, max) => match value.parse::<u32>() {
                Ok(n) if (min..=max).contains(&n) => Ok(()),
                _ => Err(format!("is not a whole number from {min} to {max}")),
            },
            Self::OneOf(words) if !words.contains(&value) => Err(format!("is none of {}", words.join(", "))),
            Self::Text(_) | Self::Secret(_) | Self::Flag | Self::OneOf(_) | Self::Ignored => Ok(()),
        }
    }
}

/// The value of a [`Kind::Flag`].
pub fn flag(value: &str) -> Option<bool> {
    match value {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Longest token of a site's source.
pub const MAX_MAPPED: usize = MAX_TOKEN + 1 + MAX_TOKEN;

fn check_token(value: &str, most: usize) -> std::result::Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if value.len() > most {
        return Err(format!("is longer than {most} bytes"));
    }
    if value.is_empty() || value.starts_with('.') || !value.chars().all(allowed) {
        return Err("may hold only letters, digits and . _ - and not start with a dot".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::params::Encoding;

    fn fault(call: &str, query: &str) -> String {
        let params = Params::parse(query, Encoding::Query).unwrap();
        find(call).unwrap().check(&params).unwrap_err().to_string()
    }

    #[test]
    fn faults_name_the_parameter() {
        assert_eq!(fault("AddSrcFile", "name=a&token=b"), "parameter url is missing");
        assert_eq!(fault("AddSrcFile", "name=a&token=&url=c"), "parameter token is missing");
        for bad in ["a/b", ".hidden", "a b", "t\u{e9}"] {
            let text = "parameter token may hold only letters, digits and . _ - and not start with a dot";
            assert_eq!(fault("DelSrc", &format!("token={bad}")), text);
        }
        let long = |count| format!("name=a&url=b&token={}", "a".repeat(count));
        assert_eq!(fault("AddSrcFile", &long(65)), "parameter token is longer than 64 bytes");
        assert_eq!(fault("DelSrc", &long(130)), "parameter token is longer than 129 bytes");
        assert_eq!(
            fault("AddSrcRTSP", "name=a&token=b&url=rtsp://h/&audio=maybe"),
            "parameter audio is neither true nor false"
        );
        assert_eq!(
            fault("GetImage", "token=a&width=7"),
            "parameter width is not a whole number from 16 to 3840"
        );
    }

    #[test]
    fn what_is_called_a_secret_is_one() {
        for (call, param) in calls().flat_map(|call| call.params.iter().map(move |param| (call, param))) {
            let secret = ["password", "passwd", "psk", "secret"].iter().any(|word| param.name.contains(word))
                || param.name == "key";
            let kept = matches!(param.kind, Kind::Secret(_) | Kind::Ignored);
            assert!(kept || !secret, "{}: {} is no Kind::Secret", call.name, param.name);
        }
    }

    #[test]
    fn only_calls_that_change_something_refuse_unknown_names() {
        assert_eq!(
            fault("AddSrcRTSP", "name=a&token=b&url=rtsp://h/?x=1&profile=Profile_1"),
            "parameter profile is not known to AddSrcRTSP; an & inside a value must be sent as %26"
        );
        let extra = Params::parse("token=a&update=3&refresh=0.1&_=17", Encoding::Query).unwrap();
        assert!(find("GetImage").unwrap().check(&extra).is_ok());
        let buster = Params::parse("token=a&session=s&_=17", Encoding::Query).unwrap();
        assert!(find("DelSrc").unwrap().check(&buster).is_ok());
    }

    #[test]
    fn names_are_found_in_any_case_and_are_unique() {
        assert_eq!(find("login").map(|c| c.name), Some("Login"));
        assert_eq!(find("h5swsapi/status").map(|c| c.name), Some("h5swsapi/Status"));
        for call in calls() {
            assert!(std::ptr::eq(find(call.name).unwrap(), call), "{} is listed twice", call.name);
        }
    }
}
