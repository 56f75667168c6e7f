//! The sources (manual 5.3.1 to 5.3.4): listed, added and deleted here, changed in [`change`], and in [`trial`]
//! tried out without being added.
//!
//! What GetSrc shows of an ONVIF source (its address, the profiles in use) is what the camera said last;
//! the list never asks a camera.

mod change;
mod trial;

use serde_json::{Map, Value, json};
use url::Url;

use super::calls::Answer;
use super::cloud::list;
use super::request::{Ask, no_source};
use super::{spec, streams};
use crate::base::secret::{MASK, redact_url};
use crate::base::spec::{SourceKind, SourceSpec};
use crate::base::{Error, Result};
use crate::media::stream::{Status, Stream};
use crate::record::{RecState, Recorder};
use crate::source::{Known, Source};

pub use self::change::update;
pub use self::trial::test;

/// `GetSrc`: all sources, or the one that `token` names, or those of one `type`.
pub async fn get_src(ask: Ask) -> Result<Answer> {
    let sight = ask.sight();
    let central = ask.ctx.cloud.central.as_ref().filter(|_| !ask.incoming.guest);
    let is_wanted = ask.get("type").is_none_or(|kind| kind == list::KIND);
    if let Some(token) = ask.get("token").filter(|token| ask.ctx.sources.get(token).is_none()) {
        let found = central.and_then(|central| list::one(central, token)).ok_or_else(|| no_source(token))?;
        let shown = Vec::from_iter(is_wanted.then_some(found));
        return Ok(Answer::Json(json!({ "src": shown })));
    }
    let wanted = |spec: &SourceSpec| {
        sight.covers(&spec.token)
            && ask.get("token").is_none_or(|token| token == spec.token)
            && ask.get("type").is_none_or(|kind| kind == spec.kind.as_str())
    };
    let sources = ask.ctx.sources.list();
    let wanted = sources.iter().filter(|source| wanted(&source.spec));
    let mut shown: Vec<Value> = wanted.map(|source| shown(&ask.ctx.recorder, source)).collect();
    if let Some(central) = central.filter(|_| is_wanted && ask.get("token").is_none()) {
        shown.extend(list::all(&ask.ctx, central, &sight));
    }
    Ok(Answer::Json(json!({ "src": shown })))
}

/// A source as GetSrc shows it.
pub fn shown(recorder: &Recorder, source: &Source) -> Value {
    let recording = recorder.rec_state(&source.spec.token);
    item(&source.spec, &source.known(), source.has_sub(), &source.stream, recording)
}

/// One entry of GetSrc: the manual's fields in its order, then ours.
fn item(
    spec: &SourceSpec,
    known: &Known,
    has_sub: Option<bool>,
    stream: &Stream,
    (recording, why_not): (RecState, String),
) -> Value {
    let (address, port) = endpoint(spec);
    let onvif = OnvifFields::new(spec, known);
    let mut item = json!({
        "nType": spec.kind.as_str(),
        "strName": spec.name,
        "strToken": spec.token,
        "strUrl": known.main_url.as_deref().map_or_else(|| spec.shown_url(), redact_url),
        "strUser": spec.user,
        "strPasswd": if spec.password.is_empty() { "" } else { MASK },
        "bPasswdEncrypt": false,
        "bEnableAudio": spec.audio,
        "nConnectType": spec.connect.as_str(),
        "nRTSPType": spec.transport.as_str(),
        "strSrcIpAddress": address,
        "strSrcPort": port,
        "nChannelNumber": 1,
        "bOnvifProfileAuto": onvif.auto,
        "strOnvifAddr": onvif.path,
        "strOnvifProfileMain": onvif.main,
        "strOnvifProfileSub": onvif.sub,
        "bOnline": stream.status().is_online(),
        "strSnapshotUrl": format!("/api/v1/GetImage?token={}", spec.token),
        "bRec": recording == RecState::Recording,
        "strServerToken": "",
        "strOriginalToken": "",
        "strServerUuid": "",
        "nViewers": stream.viewers(),
        "strRecState": recording.as_str(),
        "strRecText": why_not,
        "strUrlSub": known.sub_url.as_deref().map_or_else(|| spec.shown_sub_url(), redact_url),
        "bEnableUrlSub": has_sub.unwrap_or_default(),
    });
    if let Some(fields) = item.as_object_mut() {
        fields.extend(state(stream));
    }
    item
}

/// The fields that only an ONVIF source fills: its profiles are those in use, else those asked for.
#[derive(Default)]
struct OnvifFields<'a> {
    auto: bool,
    path: &'a str,
    main: &'a str,
    sub: &'a str,
}

impl<'a> OnvifFields<'a> {
    fn new(spec: &'a SourceSpec, known: &'a Known) -> Self {
        let Some(at) = &spec.onvif else { return Self::default() };
        let (main, sub) = match &known.choice {
            Some(choice) => (Some(&choice.main), choice.sub.as_ref()),
            None => (at.main.as_ref(), at.sub.as_ref()),
        };
        let text = |token: Option<&'a String>| token.map_or("", String::as_str);
        Self { auto: at.main.is_none(), path: &at.path, main: text(main), sub: text(sub) }
    }
}

/// Why a stream is not online, or what it consists of.
fn state(stream: &Stream) -> Map<String, Value> {
    let (reason, text) = match stream.status() {
        // An idle source was there when it was last asked.
        Status::Online | Status::Idle => return streams::facts(stream).unwrap_or_default(),
        Status::Connecting => ("connecting", "connecting".to_owned()),
        Status::Offline { reason, text } => (reason.as_str(), text),
    };
    Map::from_iter([("strOfflineReason".into(), reason.into()), ("strOfflineText".into(), text.into())])
}

/// Host and port of a camera's address; empty for files.
fn endpoint(spec: &SourceSpec) -> (String, String) {
    let url = match spec.kind {
        SourceKind::Stream => Url::parse(&spec.url).ok(),
        SourceKind::Onvif => {
            let onvif = spec.onvif.as_ref();
            return onvif.map(|at| (at.host.clone(), at.port.to_string())).unwrap_or_default();
        }
        SourceKind::File => None,
    };
    let Some(url) = url else { return Default::default() };
    let usual = match url.scheme() {
        "rtsp" => 554,
        "rtsps" => 322,
        "rtmps" => 443,
        _ => 1935,
    };
    (url.host_str().unwrap_or_default().to_owned(), url.port().unwrap_or(usual).to_string())
}

/// `AddSrcRTSP`
pub async fn add_rtsp(ask: Ask) -> Result<Answer> {
    add(&ask, spec::stream(&ask.incoming.params)?).await
}

/// `AddSrcFile`
pub async fn add_file(ask: Ask) -> Result<Answer> {
    let (params, roots) = (ask.incoming.params.clone(), ask.ctx.file_roots.clone());
    let spec = tokio::task::spawn_blocking(move || spec::file(&params, &roots))
        .await
        .map_err(|_| Error::internal("looking for the file was given up"))??;
    add(&ask, spec).await
}

/// `AddSrcONVIF`: the camera need not answer yet.
pub async fn add_onvif(ask: Ask) -> Result<Answer> {
    add(&ask, spec::onvif(&ask.incoming.params)?).await
}

/// Stores the source, then starts it; what cannot be started is not kept.
async fn add(ask: &Ask, spec: SourceSpec) -> Result<Answer> {
    let (ctx, token) = (&ask.ctx, spec.token.clone());
    let _changing = ctx.sources.changing().await;
    if ctx.sources.get(&token).is_some() {
        return Err(Error::refused(format!("parameter token: {token} is used already")));
    }
    if let Some((site, _)) = ctx.cloud.central.as_ref().and_then(|central| central.split(&token)) {
        return Err(Error::refused(format!("parameter token: {token} would be a source of the site {site}")));
    }
    let stored = spec.clone();
    ctx.store
        .run(move |store| store.insert_source(&stored))
        .await
        .map_err(|error| error.context("parameter token"))?;
    if let Err(error) = ctx.sources.add(spec) {
        let gone = token.clone();
        ctx.store.run(move |store| store.delete_source(&gone)).await?;
        return Err(error);
    }
    if let Some(source) = ctx.sources.get(&token) {
        ctx.recorder.attach(source.stream.clone());
    }
    tracing::info!(token, "source added");
    Ok(Answer::done("Add successfully"))
}

/// `DelSrc`: answers when the source has stopped.
pub async fn del_src(ask: Ask) -> Result<Answer> {
    let token = ask.require("token")?.to_owned();
    let _changing = ask.ctx.sources.changing().await;
    ask.ctx.stream(&token)?;
    let stored = token.clone();
    ask.ctx.recorder.remove_schedule(&token).await?;
    ask.ctx.alarms.remove(&ask.ctx.store, &token).await?;
    ask.ctx.store.run(move |store| store.delete_source(&stored)).await?;
    ask.ctx.recorder.detach(&token).await;
    ask.ctx.sources.remove(&token).await?;
    tracing::info!(token, "source deleted");
    Ok(Answer::done("Delete successfully"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::base::spec::{Connect, OnvifSpec, RtspTransport, Trust};
    use crate::media::hub::{DEFAULT_KEEP, Hub};
    use crate::media::stream::OfflineReason;
    use crate::onvif::media::Choice;

    fn spec(url: &str) -> SourceSpec {
        SourceSpec {
            token: "token1".into(),
            name: "name1".into(),
            kind: SourceKind::Stream,
            url: url.into(),
            sub_url: None,
            user: "admin".into(),
            password: Secret::new("hunter2"),
            audio: false,
            connect: Connect::Auto,
            transport: RtspTransport::Auto,
            onvif: None,
        }
    }

    fn stream() -> std::sync::Arc<Stream> {
        Stream::new("token1", Hub::new(1 << 20, DEFAULT_KEEP))
    }

    fn idle() -> (RecState, String) {
        (RecState::Idle, String::new())
    }

    /// The manual's 5.3.1, field by field and in its order.
    #[test]
    fn an_item_has_the_manuals_fields() {
        let shown =
            item(&spec("rtsp://192.168.0.1/stream"), &Known::default(), Some(false), &stream(), idle());
        let expected = json!({
            "nType": "H5_STREAM",
            "strName": "name1",
            "strToken": "token1",
            "strUrl": "rtsp://192.168.0.1/stream",
            "strUser": "admin",
            "strPasswd": "******",
            "bPasswdEncrypt": false,
            "bEnableAudio": false,
            "nConnectType": "H5_AUTO",
            "nRTSPType": "H5_RTSP_AUTO",
            "strSrcIpAddress": "192.168.0.1",
            "strSrcPort": "554",
            "nChannelNumber": 1,
            "bOnvifProfileAuto": false,
            "strOnvifAddr": "",
            "strOnvifProfileMain": "",
            "strOnvifProfileSub": "",
            "bOnline": true,
            "strSnapshotUrl": "/api/v1/GetImage?token=token1",
            "bRec": false,
            "strServerToken": "",
            "strOriginalToken": "",
            "strServerUuid": "",
            "nViewers": 0,
            "strRecState": "idle",
            "strRecText": "",
            "strUrlSub": "",
            "bEnableUrlSub": false,
        });
        assert_eq!(shown.to_string(), expected.to_string());
    }

    #[test]
    fn an_offline_source_says_why() {
        let (spec, stream) = (spec("rtsp://192.168.0.1/stream"), stream());
        let text = "401 Unauthorized".to_owned();
        stream.set_status(Status::Offline { reason: OfflineReason::Unauthorised, text });
        let _viewing = stream.view();
        let shown = item(&spec, &Known::default(), Some(false), &stream, idle());
        assert_eq!((&shown["bOnline"], &shown["strOfflineReason"]), (&json!(false), &json!("unauthorised")));
        assert_eq!(shown["strOfflineText"], json!("401 Unauthorized"));
        assert_eq!(shown["nViewers"], json!(1));
    }

    #[test]
    fn an_onvif_source_shows_what_its_camera_said_last() {
        let at = OnvifSpec {
            host: "192.168.0.9".into(),
            port: 8080,
            path: "/onvif/device_service".into(),
            trust: Trust::Plain,
            main: None,
            sub: None,
        };
        let mut spec = SourceSpec { kind: SourceKind::Onvif, onvif: Some(at), ..spec("") };
        let fields = |spec: &SourceSpec, known: &Known| {
            let shown = item(spec, known, None, &stream(), idle());
            let names = ["nType", "strSrcIpAddress", "strSrcPort", "strOnvifAddr", "bOnvifProfileAuto"];
            let profiles = ["strUrl", "strOnvifProfileMain", "strOnvifProfileSub"];
            assert_eq!(shown["nType"], "H5_ONVIF");
            (names.map(|name| shown[name].clone()), profiles.map(|name| shown[name].clone()))
        };
        let (place, unknown) = fields(&spec, &Known::default());
        assert_eq!(
            place[1..].to_vec(),
            ["192.168.0.9".into(), "8080".into(), "/onvif/device_service".into(), json!(true)]
        );
        assert_eq!(unknown, ["", "", ""]);
        let known = Known {
            choice: Some(Choice { main: "quality h264".into(), sub: None }),
            main_url: Some("rtsp://192.168.0.9:554/x?pwd=a".into()),
            sub_url: None,
        };
        assert_eq!(fields(&spec, &known).1, ["rtsp://192.168.0.9:554/x?pwd=******", "quality h264", ""]);
        let at = spec.onvif.as_mut().unwrap();
        (at.main, at.sub) = (Some("Profile_1".into()), Some("Profile_2".into()));
        let (place, asked) = fields(&spec, &Known::default());
        assert_eq!((&place[4], asked), (&json!(false), ["".into(), json!("Profile_1"), json!("Profile_2")]));
    }

    #[test]
    fn no_password_in_a_shown_url() {
        for (url, shown) in [
            ("rtsp://u:hunter2@h/x", "rtsp://u:******@h/x"),
            ("rtsp://h/user=a&password=hunter2&channel=1", "rtsp://h/user=a&password=******&channel=1"),
            ("rtsp://h/x?Pwd=hunter2", "rtsp://h/x?Pwd=******"),
            ("rtsp://h/x?a=1", "rtsp://h/x?a=1"),
        ] {
            assert_eq!(spec(url).shown_url(), shown);
        }
    }
}
