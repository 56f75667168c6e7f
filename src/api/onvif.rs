//! `OnvifProbe` (manual 5.4.2): what a camera has, before it is added. And [`keep_pins`], which
//! stores the certificates that cameras showed first.
//!
//! A probe takes at most [`PATIENCE`] and [`LOOK`] together: whoever asks gives a call ten seconds or so. Calls
//! go over the camera's one connection, one after the other; only looks at streams run side by side, at
//! most [`LOOKS`].

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::Context;
use super::calls::Answer;
use super::request::Ask;
use super::spec::{self, DEVICE_SERVICE};
use crate::base::Result;
use crate::base::spec::{Connect, OnvifSpec, RtspTransport, SourceKind, SourceSpec, Trust};
use crate::media::params::{VideoCodec, VideoParams};
use crate::onvif::discovery::scopes;
use crate::onvif::media::{Profile, choose};
use crate::onvif::{Address, Camera, Failure, Service, Why};
use crate::source;

/// For all questions to the camera together.
const PATIENCE: Duration = Duration::from_secs(8);
/// For the look at a stream of which the camera does not tell enough.
const LOOK: Duration = Duration::from_secs(4);
/// Streams that are looked at at a time.
const LOOKS: usize = 4;
/// Where cameras have their device service, the usual place first.
const PATHS: [&str; 3] = [DEVICE_SERVICE, "/onvif/device", "/onvif/service"];

/// `OnvifProbe`
pub async fn probe(ask: Ask) -> Result<Answer> {
    let address = spec::camera(&ask.incoming.params)?;
    let paths = match ask.get("onvifaddr") {
        Some(given) => vec![given],
        None => PATHS.to_vec(),
    };
    Ok(Answer::Json(match found(address, &paths).await {
        Ok(found) => found,
        Err(failure) => json!({
            "bStatus": false,
            "strCode": "can't connect device",
            "strReason": failure.why.as_str(),
            "strText": failure.text,
        }),
    }))
}

/// A profile with what was found out about it.
struct Found {
    profile: Profile,
    url: Option<String>,
}

async fn found(address: Address, paths: &[&str]) -> std::result::Result<Value, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let asked = timeout_at(deadline, first_that_answers(address, paths)).await;
    let (camera, profiles) = asked.unwrap_or_else(|_| Err(too_slow()))?;
    let choice = choose(&profiles, None, None);
    let mut found = Vec::with_capacity(profiles.len());
    let mut gone = false;
    for profile in profiles {
        let url = match gone {
            true => None,
            false => match timeout_at(deadline, camera.stream_url(&profile.token)).await {
                Ok(Ok(url)) => Some(url),
                Ok(Err(failure)) => {
                    gone = failure.why == Why::Unreachable;
                    None
                }
                Err(_) => {
                    gone = true;
                    None
                }
            },
        };
        found.push(Found { profile, url });
    }
    let device = match gone {
        true => Device::default(),
        false => timeout_at(deadline, Device::ask(&camera)).await.unwrap_or_default(),
    };
    let address = &camera.address;
    let entries: Vec<Value> =
        stream::iter(found).map(|found| complete(found, address)).buffered(LOOKS).map(entry).collect().await;
    Ok(json!({
        "profile": entries,
        "strOnvifAddr": address.at.path,
        "strProfileMain": choice.as_ref().map_or("", |choice| &choice.main),
        "strProfileSub": choice.as_ref().and_then(|choice| choice.sub.as_deref()).unwrap_or_default(),
        "strModel": device.model,
        "strName": device.name,
        "bPtz": device.ptz,
        "bEvents": device.events,
        "strPin": camera.pin().unwrap_or_default(),
    }))
}

/// The camera at the first of `paths` where ONVIF is spoken, and its profiles.
async fn first_that_answers(
    address: Address,
    paths: &[&str],
) -> std::result::Result<(Arc<Camera>, Vec<Profile>), Failure> {
    let mut first = None;
    for path in paths {
        let at = OnvifSpec { path: (*path).to_owned(), ..address.at.clone() };
        let camera = Camera::new(Address { at, ..address.clone() });
        match camera.profiles().await {
            Ok(profiles) => return Ok((camera, profiles)),
            Err(failure) if matches!(failure.why, Why::NotOnvif | Why::Unsupported) => {
                first.get_or_insert(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    Err(first.unwrap_or_else(too_slow))
}

fn too_slow() -> Failure {
    Failure::new(Why::Unreachable, "the device does not answer in time")
}

/// What is told of the device itself, as far as it answers.
#[derive(Default)]
struct Device {
    model: String,
    /// That its scopes say, which somebody may have given it.
    name: String,
    ptz: bool,
    events: bool,
}

impl Device {
    async fn ask(camera: &Camera) -> Self {
        let told = camera.call(Service::Device, "GetDeviceInformation", "").await.ok();
        let model = told.as_ref().and_then(|told| told.text_at(&["Model"])).unwrap_or_default();
        let model = model.to_owned();
        let scopes = camera.call(Service::Device, "GetScopes", "").await.ok();
        let items =
            scopes.iter().flat_map(|told| told.all("Scopes")).filter_map(|one| one.text_at(&["ScopeItem"]));
        let name = scopes::value(&items.map(str::to_owned).collect::<Vec<_>>(), "name").unwrap_or_default();
        let ptz = camera.has(Service::Ptz).await.unwrap_or_default();
        let events = camera.has(Service::Events).await.unwrap_or_default();
        Self { model, name, ptz, events }
    }
}

/// Fills in from the stream what the camera does not tell of it.
async fn complete(mut found: Found, address: &Address) -> Found {
    let profile = &mut found.profile;
    let known = !profile.codec.is_empty() && profile.width > 0 && profile.height > 0;
    let may_be_shown = matches!(profile.codec.as_str(), "" | "H264" | "H265");
    if let Some(url) = &found.url
        && !known
        && may_be_shown
    {
        match source::look(opened_at(url, address), LOOK).await {
            Ok(params) => fill(profile, &params),
            Err(error) => tracing::debug!("OnvifProbe: a look at the stream: {error}"),
        }
    }
    found
}

fn fill(profile: &mut Profile, params: &VideoParams) {
    let codec = match params.codec {
        VideoCodec::H264 => "H264",
        VideoCodec::H265 => "H265",
    };
    codec.clone_into(&mut profile.codec);
    (profile.width, profile.height) = (params.width, params.height);
}

fn opened_at(url: &str, address: &Address) -> SourceSpec {
    SourceSpec {
        token: String::new(),
        name: String::new(),
        kind: SourceKind::Stream,
        url: url.to_owned(),
        sub_url: None,
        user: address.user.clone(),
        password: address.password.clone(),
        audio: false,
        connect: Connect::OnDemand,
        transport: RtspTransport::Tcp,
        onvif: None,
    }
}

/// One profile in the manual's form.
fn entry(found: Found) -> Value {
    let Found { profile, url } = found;
    json!({
        "strToken": profile.token,
        "strCodecName": profile.codec,
        "strName": label(&profile),
        "strRtspUrl": url.as_deref().unwrap_or_default(),
        "nWidth": profile.width,
        "nHeight": profile.height,
        "nFps": profile.fps,
        "nBandwidth": profile.kbps,
        "bGotUrl": url.is_some(),
        "strProfileName": profile.name,
    })
}

/// `H264 1920 x 1080 25fps 3072bps`, as far as it is known. The manual's unit is wrong, and its
/// readers know it so: these are kbit/s.
fn label(profile: &Profile) -> String {
    let mut parts = vec![profile.codec.clone()];
    if profile.width > 0 {
        parts.push(format!("{} x {}", profile.width, profile.height));
    }
    if profile.fps > 0 {
        parts.push(format!("{}fps", profile.fps));
    }
    if profile.kbps > 0 {
        parts.push(format!("{}bps", profile.kbps));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Stores the certificates that cameras showed at their first connection, until the daemon stops.
pub async fn keep_pins(ctx: Arc<Context>) {
    loop {
        tokio::select! {
            () = ctx.sources.answered() => {}
            () = ctx.shutdown.cancelled() => return,
        }
        for source in ctx.sources.list() {
            let unpinned = source.spec.onvif.as_ref().is_some_and(|at| at.trust == Trust::FirstUse);
            let pin = ctx.sources.cameras.get(&source.spec.token).and_then(|camera| camera.pin());
            let (true, Some(pin)) = (unpinned, pin) else { continue };
            let token = source.spec.token.clone();
            if let Err(error) = ctx.store.run(move |store| store.pin_source(&token, &pin)).await {
                tracing::warn!(source = source.spec.token, "the camera's certificate was not kept: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile {
            token: "Profile_1".into(),
            name: "main".into(),
            codec: "H264".into(),
            width: 1920,
            height: 1080,
            fps: 25,
            kbps: 3072,
            ..Profile::default()
        }
    }

    /// The manual's 5.4.2, field by field and in its order.
    #[test]
    fn an_entry_has_the_manuals_fields() {
        let url = "rtsp://192.168.0.23:554/Streaming/Channels/101?transportmode=unicast&profile=Profile_1";
        let expected = json!({
            "strToken": "Profile_1",
            "strCodecName": "H264",
            "strName": "H264 1920 x 1080 25fps 3072bps",
            "strRtspUrl": url,
            "nWidth": 1920,
            "nHeight": 1080,
            "nFps": 25,
            "nBandwidth": 3072,
            "bGotUrl": true,
            "strProfileName": "main",
        });
        let shown = entry(Found { profile: profile(), url: Some(url.into()) });
        assert_eq!(shown.to_string(), expected.to_string());
    }

    #[test]
    fn what_is_not_known_is_not_named() {
        let unknown = Profile { token: "a".into(), ..Profile::default() };
        let shown = entry(Found { profile: unknown, url: None });
        assert_eq!((&shown["strName"], &shown["bGotUrl"]), (&json!(""), &json!(false)));
        assert_eq!(label(&Profile { fps: 0, kbps: 0, ..profile() }), "H264 1920 x 1080");
        assert_eq!(label(&Profile { codec: "JPEG".into(), width: 0, ..profile() }), "JPEG 25fps 3072bps");
    }
}
