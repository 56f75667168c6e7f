//! Files of sites: what was recorded there, below `/mediastore/@<servertoken>/`, and HLS of it.

use hyper::body::Incoming as Body;
use hyper::header::{
    HeaderMap, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use hyper::{Method, Request, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use super::answer::{passed, refusal};
use super::{FILES, PATIENCE, There, central};
use crate::api::Context;
use crate::api::calls::Kind;
use crate::api::params::Params;
use crate::api::reply::Reply;
use crate::api::request::{Incoming, sight};
use crate::auth::Session;
use crate::base::{Result, footage};
use crate::record::library::nothing;

/// What a client asks about a file beside its address.
const ASKED: [hyper::header::HeaderName; 6] =
    [RANGE, IF_RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// The file of a site that `incoming` is about; `None` if it is about none. Whether the asker may see it is for the
/// edge to say, which knows of which source it is.
pub async fn file(
    ctx: &Context,
    incoming: &Incoming,
    session: Option<&Session>,
    method: &Method,
    headers: &HeaderMap,
) -> Option<Result<Reply>> {
    let (site, path) = incoming.path.strip_prefix(FILES)?.split_once('/')?;
    let known = central(ctx, incoming).filter(|central| central.site(site).is_ok());
    let Some(central) = known.filter(|_| !sight(session).within(site).is_nothing()) else {
        return Some(Err(nothing(&incoming.path)));
    };
    // `record/<token>/…`, and the same of snapshots and exports.
    let token = path.split('/').nth(1);
    let there = There::new(ctx, central, session, site, token);
    let download = incoming.params.get("download").map(|value| format!("?download={}", encoded(value)));
    let target = format!("{}{}", footage::url(path), download.unwrap_or_default());
    Some(there.get(method, target, headers).await.map(passed))
}

impl There {
    /// HLS of a recording.
    ///
    /// # Errors
    /// `Refused` with the site's words, `Timeout`.
    pub async fn vod(&self, name: &str, params: &Params) -> Result<Response<Body>> {
        let token = encoded(self.original.as_deref().unwrap_or_default());
        let target = format!("/hls/vod/{token}/{}?{}", encoded(name), self.query(params)?);
        let answer = self.get(&Method::GET, target, &HeaderMap::new()).await?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(refusal(self, answer).await),
        }
    }

    /// The parameters of something that was recorded, as the edge knows them.
    ///
    /// # Errors
    /// `BadInput` for one that is about another site.
    pub fn query(&self, params: &Params) -> Result<String> {
        let mut query = self.form([("token", Kind::Source)].into_iter(), params)?;
        // In a query a plus is itself, and a blank needs another way.
        query = query.replace('+', "%20");
        Ok(query)
    }

    async fn get(&self, method: &Method, target: String, headers: &HeaderMap) -> Result<Response<Body>> {
        let mut request = Request::builder().method(method).uri(target);
        for name in ASKED {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        timeout(PATIENCE, self.send(request, String::new())).await.unwrap_or_else(|_| Err(self.late()))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
