//! The sources (manual 5.3.1 to 5.3.4).

use std::sync::Arc;

use serde_json::{Map, Value, json};
use url::Url;

use super::calls::Answer;
use super::request::Ask;
use super::{spec, streams};
use crate::base::secret::MASK;
use crate::base::spec::{SourceKind, SourceSpec};
use crate::base::{Error, Result};
use crate::media::stream::{Status, Stream};
use crate::record::RecState;
use crate::source::Source;
use crate::store::Store;

/// `GetSrc`: all sources, or the one that `token` names, or those of one `type`.
pub async fn get_src(ask: Ask) -> Result<Answer> {
    if let Some(token) = ask.get("token") {
        ask.ctx.stream(token)?;
    }
    let wanted = |spec: &SourceSpec| {
        ask.get("token").is_none_or(|token| token == spec.token)
            && ask.get("type").is_none_or(|kind| kind == spec.kind.as_str())
    };
    let sources = ask.ctx.sources.list();
    let recorder = &ask.ctx.recorder;
    let entry =
        |source: &Arc<Source>| item(&source.spec, &source.stream, recorder.rec_state(&source.spec.token));
    let shown: Vec<Value> = sources.iter().filter(|source| wanted(&source.spec)).map(entry).collect();
    Ok(Answer::Json(json!({ "src": shown })))
}

/// One entry of GetSrc: the manual's fields in its order, then ours.
fn item(spec: &SourceSpec, stream: &Stream, (recording, why_not): (RecState, String)) -> Value {
    let (address, port) = endpoint(spec);
    let mut item = json!({
        "nType": spec.kind.as_str(),
        "strName": spec.name,
        "strToken": spec.token,
        "strUrl": spec.shown_url(),
        "strUser": spec.user,
        "strPasswd": if spec.password.is_empty() { "" } else { MASK },
        "bPasswdEncrypt": false,
        "bEnableAudio": spec.audio,
        "nConnectType": spec.connect.as_str(),
        "nRTSPType": spec.transport.as_str(),
        "strSrcIpAddress": address,
        "strSrcPort": port,
        "nChannelNumber": 1,
        "bOnvifProfileAuto": false,
        "strOnvifAddr": "",
        "strOnvifProfileMain": "",
        "strOnvifProfileSub": "",
        "bOnline": stream.status().is_online(),
        "strSnapshotUrl": format!("/api/v1/GetImage?token={}", spec.token),
        "bRec": recording == RecState::Recording,
        "strServerToken": "",
        "strOriginalToken": "",
        "strServerUuid": "",
        "nViewers": stream.viewers(),
        "strRecState": recording.as_str(),
        "strRecText": why_not,
    });
    if let Some(fields) = item.as_object_mut() {
        fields.extend(state(stream));
    }
    item
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

/// Stores the source, then starts it; what cannot be started is not kept.
async fn add(ask: &Ask, spec: SourceSpec) -> Result<Answer> {
    let (ctx, token) = (&ask.ctx, spec.token.clone());
    if ctx.sources.get(&token).is_some() {
        return Err(Error::refused(format!("parameter token: {token} is used already")));
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
    ask.ctx.stream(&token)?;
    let stored = token.clone();
    ask.ctx.recorder.remove_schedule(&token).await?;
    ask.ctx.alarms.remove(&ask.ctx.store, &token).await?;
    let delete =
        move |store: &Store| store.delete_presets(&stored).and_then(|()| store.delete_source(&stored));
    ask.ctx.store.run(delete).await?;
    ask.ctx.recorder.detach(&token).await;
    ask.ctx.sources.remove(&token).await?;
    tracing::info!(token, "source deleted");
    Ok(Answer::done("Delete successfully"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::base::spec::{Connect, RtspTransport};
    use crate::media::hub::{DEFAULT_KEEP, Hub};
    use crate::media::stream::OfflineReason;

    fn spec(url: &str) -> SourceSpec {
        SourceSpec {
            token: "token1".into(),
            name: "name1".into(),
            kind: SourceKind::Stream,
            url: url.into(),
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
        let shown = item(&spec("rtsp://192.168.0.1/stream"), &stream(), idle());
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
        });
        assert_eq!(shown.to_string(), expected.to_string());
    }

    #[test]
    fn an_offline_source_says_why() {
        let (spec, stream) = (spec("rtsp://192.168.0.1/stream"), stream());
        let text = "401 Unauthorized".to_owned();
        stream.set_status(Status::Offline { reason: OfflineReason::Unauthorised, text });
        let _viewing = stream.view();
        let shown = item(&spec, &stream, idle());
        assert_eq!((&shown["bOnline"], &shown["strOfflineReason"]), (&json!(false), &json!("unauthorised")));
        assert_eq!(shown["strOfflineText"], json!("401 Unauthorized"));
        assert_eq!(shown["nViewers"], json!(1));
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
