//! A source as UpdateSrc wants it.

use std::path::PathBuf;

use super::onvif::moved;
use super::{Login, address, file, sub_address};
use crate::api::calls::flag;
use crate::api::params::Params;
use crate::base::secret::{MASK, Secret};
use crate::base::spec::{Connect, RtspTransport, SourceKind, SourceSpec};
use crate::base::{Error, Result};

/// Parameters that only some kinds of source have, and which.
const LOGIN: &[SourceKind] = &[SourceKind::Stream, SourceKind::Onvif];
const ONVIF: &[SourceKind] = &[SourceKind::Onvif];
const FOR_SOME: [(&str, &[SourceKind]); 12] = [
    ("url", &[SourceKind::Stream, SourceKind::File]),
    ("urlsub", &[SourceKind::Stream]),
    ("user", LOGIN),
    ("password", LOGIN),
    ("transport", LOGIN),
    ("ip", ONVIF),
    ("port", ONVIF),
    ("onvifaddr", ONVIF),
    ("https", ONVIF),
    ("pin", ONVIF),
    ("main", ONVIF),
    ("sub", ONVIF),
];

/// `old`, changed as `params` say. What they do not name stays, and so does what is sent back as GetSrc shows it:
/// masked. An empty `user` takes the password along, an empty password changes nothing. Blocks on the disk.
///
/// # Errors
/// `BadInput` naming the parameter; for a file also `NotFound` and `Refused`.
pub fn edited(old: &SourceSpec, params: &Params, roots: &[PathBuf]) -> Result<SourceSpec> {
    let given = |&(name, kinds): &(&'static str, &[SourceKind])| {
        (params.given(name).is_some() && !kinds.contains(&old.kind)).then_some(name)
    };
    if let Some(name) = FOR_SOME.iter().find_map(given) {
        let kind = old.kind.as_str();
        return Err(Error::bad_input(format!(
            "parameter {name} is nothing that a source of type {kind} has"
        )));
    }
    let mut spec = old.clone();
    if let Some(name) = params.get("name") {
        name.clone_into(&mut spec.name);
    }
    spec.audio = params.get("audio").and_then(flag).unwrap_or(spec.audio);
    spec.connect = params.get("connect").and_then(Connect::parse).unwrap_or(spec.connect);
    spec.transport = params.get("transport").and_then(RtspTransport::parse).unwrap_or(spec.transport);
    spec.onvif = old.onvif.as_ref().map(|at| moved(at, params)).transpose()?;
    if let Some(url) = params.get("url").filter(|url| *url != old.shown_url()) {
        match old.kind {
            SourceKind::File => spec.url = file(params, roots)?.url,
            SourceKind::Stream | SourceKind::Onvif => {
                let Login { url, user, password } = address("url", unmasked("url", url)?)?;
                spec.url = url;
                if !user.is_empty() {
                    (spec.user, spec.password) = (user, password);
                }
            }
        }
    }
    if let Some(user) = params.given("user") {
        user.clone_into(&mut spec.user);
        if user.is_empty() {
            spec.password = Secret::default();
        }
    }
    if let Some(password) = params.get("password").filter(|password| *password != MASK) {
        spec.password = Secret::new(password);
    }
    if let Some(url) = params.given("urlsub").filter(|url| *url != old.shown_sub_url()) {
        spec.sub_url = match url {
            "" => None,
            url => Some(sub_address(unmasked("urlsub", url)?, &spec)?),
        };
    }
    Ok(spec)
}

/// An address that was taken from GetSrc and changed has lost its password.
fn unmasked<'a>(parameter: &str, url: &'a str) -> Result<&'a str> {
    match url.contains(MASK) {
        true => Err(Error::bad_input(format!("parameter {parameter} has {MASK} where a password belongs"))),
        false => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::params::Encoding;
    use crate::api::spec::{onvif, stream};

    fn params(text: &str) -> Params {
        Params::parse(text, Encoding::Query).unwrap()
    }

    fn camera() -> SourceSpec {
        let url = "url=rtsp://h/x?pwd%3Dopensesame&user=u&password=p&urlsub=rtsp://h/y?pwd%3Dopensesame";
        stream(&params(&format!("name=Door&token=t1&audio=true&{url}"))).unwrap()
    }

    fn changed(old: &SourceSpec, rest: &str) -> Result<SourceSpec> {
        edited(old, &params(&format!("token=t1&{rest}")), &[])
    }

    #[test]
    fn what_is_not_named_or_masked_stays() {
        let old = camera();
        let shown = "url=rtsp://h/x?pwd%3D******&urlsub=rtsp://h/y?pwd%3D******&password=******";
        for same in ["", "password=", "name=", "user=u&audio=1", shown] {
            assert_eq!(changed(&old, same).unwrap(), old, "{same}");
        }
    }

    #[test]
    fn each_part_is_changed_alone() {
        let old = camera();
        let with = |rest: &str, change: &dyn Fn(&mut SourceSpec)| {
            let mut expected = old.clone();
            change(&mut expected);
            assert_eq!(changed(&old, rest).unwrap(), expected, "{rest}");
        };
        with("name=Gate", &|spec| spec.name = "Gate".into());
        with("url=rtsp://h/z", &|spec| spec.url = "rtsp://h/z".into());
        with("url=rtsp://a:b@h/z", &|spec| {
            (spec.url, spec.user, spec.password) = ("rtsp://h/z".into(), "a".into(), Secret::new("b"));
        });
        with("user=a", &|spec| spec.user = "a".into());
        with("user=", &|spec| (spec.user, spec.password) = (String::new(), Secret::default()));
        with("password=b", &|spec| spec.password = Secret::new("b"));
        with("audio=false", &|spec| spec.audio = false);
        with("connect=H5_ALWAYS", &|spec| spec.connect = Connect::Always);
        with("transport=H5_RTSP_UDP", &|spec| spec.transport = RtspTransport::Udp);
        with("urlsub=", &|spec| spec.sub_url = None);
        with("urlsub=rtsp://u:p@h/w", &|spec| spec.sub_url = Some("rtsp://h/w".into()));
    }

    #[test]
    fn a_camera_is_moved() {
        let text = "name=n&token=t1&ip=192.168.0.1&port=80&user=u&password=p&main=Profile_1";
        let old = onvif(&params(text)).unwrap();
        let new = changed(&old, "ip=192.168.0.2&port=8080&main=&sub=Profile_2").unwrap();
        let (at, was) = (new.onvif.unwrap(), old.onvif.clone().unwrap());
        assert_eq!((at.host.as_str(), at.port, &at.path), ("192.168.0.2", 8080, &was.path));
        assert_eq!((at.main, at.sub.as_deref()), (None, Some("Profile_2")));
        assert_eq!((at.trust, new.password), (was.trust, old.password.clone()));
        assert_eq!(changed(&old, "onvifaddr=/x&https=true").unwrap().onvif.unwrap().path, "/x");
    }

    #[test]
    fn faults_name_the_parameter() {
        let camera = camera();
        let file =
            SourceSpec { kind: SourceKind::File, url: "/a.mp4".into(), sub_url: None, ..camera.clone() };
        let none =
            |name: &str, kind: &str| format!("parameter {name} is nothing that a source of type {kind} has");
        for (old, rest, text) in [
            (&camera, "ip=h", none("ip", "H5_STREAM")),
            (&camera, "main=", none("main", "H5_STREAM")),
            (&file, "user=u", none("user", "H5_FILE")),
            (&file, "urlsub=rtsp://h/x", none("urlsub", "H5_FILE")),
            (&file, "url=b.mp4", "parameter url: is not an absolute path without ..".into()),
            (
                &camera,
                "url=http://h/",
                "parameter url must start with rtsp://, rtsps://, rtmp:// or rtmps://".into(),
            ),
            (
                &camera,
                "url=rtsp://i/x?pwd%3D******",
                "parameter url has ****** where a password belongs".into(),
            ),
            (
                &camera,
                "urlsub=rtsp://i/x?pwd%3D******",
                "parameter urlsub has ****** where a password belongs".into(),
            ),
        ] {
            assert_eq!(changed(old, rest).unwrap_err().to_string(), text, "{rest}");
        }
    }
}
