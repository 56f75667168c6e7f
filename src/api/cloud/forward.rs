//! What is asked of a site at the central: admitted here, answered by the edge. Live pictures are not among it; they
//! come from the central's own hubs ([`crate::cloud::central::live`]).
//!
//! No task of its own. Memory: for each call a form of a request's size and JSON of at most [`answer::MAX_JSON`] bytes;
//! everything else is handed on piece by piece, as fast as whoever asks takes it.

pub mod answer;
pub mod files;
pub mod reel;
pub mod socket;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming as Body;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use crate::api::Context;
use crate::api::calls::{Answer, Answering, Call, Kind};
use crate::api::params::{Params, SESSION};
use crate::api::request::{Ask, Incoming, sight};
use crate::auth::{Role, Session, Within};
use crate::base::{self, Error, Result};
use crate::cloud::central::{Asker, Central, away};
use crate::snapshot::Placeholder;

/// How long a site may take to answer, and for one more piece of an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for calls that look around the site for cameras.
const LONG: Duration = Duration::from_secs(90);
/// How long after its streams a site may count as being there.
const MOMENT: Duration = Duration::from_secs(2);
const LOOKING: [&str; 3] = ["OnvifSearch", "OnvifProbe", "TestSrc"];
/// Calls about live pictures, and the list of all sources.
const HERE: [&str; 2] = ["GetSrc", "GetVidStreamStatus"];
/// Longest list of tokens that goes to an edge, in bytes.
const MAX_SIGHT: usize = 8 << 10;
/// The parameter that names a site.
const SERVER_TOKEN: &str = "servertoken";
/// Where the files of sites are: the server token follows, and the edge's own path.
const FILES: &str = "/mediastore/@";

/// A site, and what is asked for there.
pub struct There {
    central: Arc<Central>,
    site: String,
    /// The edge's own token of the source; `None`: no source in particular.
    original: Option<String>,
    asker: Asker,
}

/// Has the call answered by the site that it is about, or by `handler` if it is about no site.
pub fn or_here(call: &'static Call, ask: Ask, handler: fn(Ask) -> Answering) -> Answering {
    match There::of(call, &ask) {
        Ok(Some(there)) => Box::pin(async move { there.call(call, &ask).await }),
        Ok(None) => handler(ask),
        Err(error) => Box::pin(std::future::ready(Err(error))),
    }
}

impl There {
    /// The site that an admitted call is about, if it is about one.
    ///
    /// # Errors
    /// `NotFound` for a server token that there is not, or that the asker has no right to as a whole; `Unsupported`
    /// where this is no central.
    fn of(call: &Call, ask: &Ask) -> Result<Option<Self>> {
        let (ctx, incoming, session) = (&ask.ctx, &ask.incoming, ask.session.as_ref());
        let given = |kind: fn(&Kind) -> bool| {
            let params = call.params.iter().filter(move |param| kind(&param.kind));
            params.filter_map(|param| ask.get(param.name))
        };
        if let Some(site) = given(|kind| matches!(kind, Kind::Site)).next() {
            return Self::whole(ctx, incoming, session, site).map(Some);
        }
        if HERE.contains(&call.name) {
            return Ok(None);
        }
        let mut sources = given(|kind| matches!(kind, Kind::Source));
        Ok(sources.find_map(|token| Self::source(ctx, incoming, session, token)))
    }

    fn whole(ctx: &Context, incoming: &Incoming, session: Option<&Session>, site: &str) -> Result<Self> {
        let central = central(ctx, incoming).ok_or_else(|| {
            Error::unsupported(
                "parameter servertoken: this box is no central server, so that it has no sites",
            )
        })?;
        if sight(session).within(site) != Within::All {
            let none = format!("parameter servertoken: there is no site {site:.64}");
            return Err(Error::not_found(none));
        }
        central.site(site)?;
        Ok(Self::new(ctx, central, session, site, None))
    }

    /// The site of a source by its token here; `None` if it is no site's. Whether it may be seen is not asked.
    pub fn source(
        ctx: &Context,
        incoming: &Incoming,
        session: Option<&Session>,
        token: &str,
    ) -> Option<Self> {
        let central = central(ctx, incoming).filter(|_| ctx.sources.get(token).is_none())?;
        let (site, original) = central.split(token)?;
        Some(Self::new(ctx, central, session, site, Some(original)))
    }

    fn new(
        ctx: &Context,
        central: &Arc<Central>,
        session: Option<&Session>,
        site: &str,
        original: Option<&str>,
    ) -> Self {
        let asker = asker(ctx, session, site, original);
        Self { central: central.clone(), site: site.to_owned(), original: original.map(str::to_owned), asker }
    }

    async fn call(&self, call: &'static Call, ask: &Ask) -> Result<Answer> {
        let patience = if LOOKING.contains(&call.name) { LONG } else { PATIENCE };
        let answered = async {
            let form =
                self.form(call.params.iter().map(|param| (param.name, param.kind)), &ask.incoming.params)?;
            let request = Request::post(format!("/api/v1/{}", call.name))
                .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let answer = self.send(request, form).await?;
            answer::taken(self, answer).await
        };
        match timeout(patience, answered).await.unwrap_or_else(|_| Err(self.late())) {
            // A poster that fails leaves a black tile.
            Err(error) if call.name == "GetImage" && error.kind() == base::Kind::Timeout => {
                tracing::debug!("no picture: {error}");
                Ok(Answer::Jpeg(Placeholder::Offline.jpeg()))
            }
            answer => answer,
        }
    }

    /// Sends it in the asker's name.
    async fn send(&self, request: hyper::http::request::Builder, body: String) -> Result<Response<Body>> {
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| Error::bad_input(format!("the request: {error}")))?;
        self.central.send(&self.site, &self.asker, request).await
    }

    /// The parameters as the edge knows them, percent-encoded. Neither the session nor what the central alone knows is
    /// among them.
    ///
    /// # Errors
    /// `BadInput` naming the parameter that is about another site.
    fn form(
        &self,
        kinds: impl Iterator<Item = (&'static str, Kind)> + Clone,
        params: &Params,
    ) -> Result<String> {
        let mut form = Serializer::new(String::new());
        for (name, value) in params.pairs() {
            if name == SESSION || name == SERVER_TOKEN || name.starts_with('_') {
                continue;
            }
            let is_source = kinds.clone().any(|(known, kind)| known == name && matches!(kind, Kind::Source));
            let value = match name {
                _ if is_source => self.own_token(name, value)?,
                "path" | "filename" => self.own_path(name, value)?,
                _ => value.to_owned(),
            };
            form.append_pair(name, &value);
        }
        Ok(form.finish())
    }

    fn own_token(&self, name: &str, value: &str) -> Result<String> {
        match self.central.split(value) {
            Some((site, original)) if site == self.site => Ok(original.to_owned()),
            _ if value.is_empty() => Ok(String::new()),
            _ => {
                Err(Error::bad_input(format!("parameter {name}: {value:.129} is not of site {}", self.site)))
            }
        }
    }

    fn own_path(&self, name: &str, value: &str) -> Result<String> {
        let of_site = value.trim_start_matches('/').strip_prefix(FILES.trim_start_matches('/'));
        match of_site.and_then(|rest| rest.split_once('/')) {
            None => Ok(value.to_owned()),
            Some((site, path)) if site == self.site => Ok(format!("/mediastore/{path}")),
            Some(_) => Err(Error::bad_input(format!("parameter {name}: it is not of site {}", self.site))),
        }
    }

    /// Why a stream of the site's ended: it is away, which may be known a moment later.
    async fn broke_off(&self) -> Error {
        let mut changes = self.central.changes();
        let away = async {
            loop {
                match self.central.site(&self.site) {
                    Ok(site) if self.central.is_online(&site) => drop(changes.recv().await),
                    Ok(site) => return away(&site),
                    Err(gone) => return gone,
                }
            }
        };
        let other = || Error::timeout(format!("site {}: the connection broke off", self.site));
        timeout(MOMENT, away).await.unwrap_or_else(|_| other())
    }

    fn late(&self) -> Error {
        Error::timeout(format!("site {} does not answer in time", self.site))
    }
}

/// Where this is a central. What another central asks for is not passed on: sites of sites are not shown.
fn central<'a>(ctx: &'a Context, incoming: &Incoming) -> Option<&'a Arc<Central>> {
    ctx.cloud.central.as_ref().filter(|_| !incoming.guest)
}

/// In whose name a site is asked, with the sight of that site only.
fn asker(ctx: &Context, session: Option<&Session>, site: &str, original: Option<&str>) -> Asker {
    let (user, role) = match session {
        Some(session) => (session.user.clone(), session.role),
        None if ctx.config.auth.require_session => ("anonymous".to_owned(), Role::Viewer),
        None => ("anonymous".to_owned(), Role::Administrator),
    };
    let sight = match sight(session).within(site) {
        Within::All => None,
        Within::Only(tokens) if tokens.iter().map(|token| token.len() + 1).sum::<usize>() <= MAX_SIGHT => {
            Some(tokens)
        }
        Within::Only(mut tokens) => {
            tokens.retain(|token| original == Some(token));
            Some(tokens)
        }
    };
    Asker { user, role: role.as_str(), sight }
}
