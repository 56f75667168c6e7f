//! From the parameters of AddSrcRTSP, AddSrcFile and AddSrcONVIF to a checked [`SourceSpec`], and from those of
//! UpdateSrc to a changed one.
//!
//! No error text here quotes a URL: it may hold a password.

mod edit;
mod onvif;

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

pub use self::edit::edited;
pub use self::onvif::{DEVICE_SERVICE, camera, onvif};

use super::calls::flag;
use super::params::Params;
use crate::base::secret::Secret;
use crate::base::spec::{Connect, RtspTransport, SourceKind, SourceSpec};
use crate::base::{Error, Result};

/// Schemes of a camera's address.
const SCHEMES: [&str; 4] = ["rtsp", "rtsps", "rtmp", "rtmps"];

/// The source that AddSrcRTSP describes. User and password inside the URL move to their own fields,
/// unless those are given too.
///
/// # Errors
/// `BadInput` naming the parameter.
pub fn stream(params: &Params) -> Result<SourceSpec> {
    let Login { url, user, password } = address("url", params.require("url")?)?;
    let mut spec = common(params, SourceKind::Stream, url);
    spec.user = params.get("user").map_or(user, str::to_owned);
    spec.password = params.get("password").map_or(password, Secret::new);
    spec.sub_url = params.get("urlsub").map(|text| sub_address(text, &spec)).transpose()?;
    Ok(spec)
}

/// The source that AddSrcFile describes, in one of `roots`. Blocks on the disk.
///
/// # Errors
/// `BadInput`, `NotFound` or `Refused`, naming the parameter.
pub fn file(params: &Params, roots: &[PathBuf]) -> Result<SourceSpec> {
    let path = allowed_file(Path::new(params.require("url")?), roots)
        .map_err(|error| error.context("parameter url"))?;
    Ok(common(params, SourceKind::File, path))
}

/// The source that TestSrc describes without naming one that there is. Blocks on the disk.
///
/// # Errors
/// As of the others.
pub fn unnamed(params: &Params, roots: &[PathBuf]) -> Result<SourceSpec> {
    let url = match (params.get("url"), params.get("ip")) {
        (None, _) => return onvif(params),
        (Some(_), Some(_)) => return Err(Error::bad_input("parameter ip does not go with parameter url")),
        (Some(url), None) => url,
    };
    if url.starts_with('/') { file(params, roots) } else { stream(params) }
}

/// What the table has checked word by word already is only read here; a source that is not kept has neither name
/// nor token.
fn common(params: &Params, kind: SourceKind, url: String) -> SourceSpec {
    let connect = params.get("connect").or(params.get("nConnectType"));
    let transport = params.get("transport").or(params.get("nRTSPType"));
    SourceSpec {
        token: params.get("token").unwrap_or_default().to_owned(),
        name: params.get("name").unwrap_or_default().to_owned(),
        kind,
        url,
        sub_url: None,
        user: String::new(),
        password: Secret::default(),
        audio: params.get("audio").and_then(flag).unwrap_or_default(),
        connect: connect.and_then(Connect::parse).unwrap_or_default(),
        transport: transport.and_then(RtspTransport::parse).unwrap_or_default(),
        onvif: None,
    }
}

/// An address taken apart.
struct Login {
    /// Without user and password; otherwise as it was typed: some cameras mind every byte.
    url: String,
    user: String,
    password: Secret,
}

/// Takes a camera's address apart, which is the value of `parameter`.
fn address(parameter: &str, text: &str) -> Result<Login> {
    let bad = |what: &str| Error::bad_input(format!("parameter {parameter} {what}"));
    let url = Url::parse(text).map_err(|_| bad("is not a URL"))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(bad("must start with rtsp://, rtsps://, rtmp:// or rtmps://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("names no host"));
    }
    let plain = |part: &str| percent_decode_str(part).decode_utf8().map(String::from);
    let user = plain(url.username()).map_err(|_| bad("has a user that is not UTF-8"))?;
    let password =
        plain(url.password().unwrap_or_default()).map_err(|_| bad("has a password that is not UTF-8"))?;
    let (_, rest) = text.split_once("://").ok_or_else(|| bad("is not a URL"))?;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    let url = format!("{}://{}", url.scheme(), &rest[host..]);
    Ok(Login { url, user, password: Secret::new(password) })
}

/// The address of the small picture of `spec`, whose user and password hold for it too.
fn sub_address(text: &str, spec: &SourceSpec) -> Result<String> {
    let Login { url, user, password } = address("urlsub", text)?;
    let none = user.is_empty() && password.is_empty();
    match none || (user == spec.user && password == spec.password) {
        true => Ok(url),
        false => Err(Error::bad_input("parameter urlsub has another user or password than the source")),
    }
}

/// `path` without links, if it is a file in one of `roots`. Outside of them nothing is said about
/// what exists.
fn allowed_file(path: &Path, roots: &[PathBuf]) -> Result<String> {
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return Err(Error::bad_input("is not an absolute path without .."));
    }
    let outside = || Error::refused("lies outside the folders that files may be played from");
    let lexically = roots.iter().any(|root| path.starts_with(root));
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(_) if lexically => return Err(Error::not_found("there is no such file")),
        Err(_) => return Err(outside()),
    };
    let roots = roots.iter().filter_map(|root| root.canonicalize().ok());
    if !roots.into_iter().any(|root| real.starts_with(root)) {
        return Err(outside());
    }
    if !real.is_file() {
        return Err(Error::bad_input("is not a regular file"));
    }
    real.into_os_string().into_string().map_err(|_| Error::bad_input("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::params::Encoding;

    fn params(text: &str) -> Params {
        Params::parse(text, Encoding::Query).unwrap()
    }

    fn rtsp(rest: &str) -> Result<SourceSpec> {
        stream(&params(&format!("name=Door&token=t1&{rest}")))
    }

    #[test]
    fn credentials_move_out_of_the_url() {
        let spec = rtsp("url=rtsp://admin:p%2540%2523@192.168.0.1:554/Streaming/101?a=1").unwrap();
        assert_eq!(spec.url, "rtsp://192.168.0.1:554/Streaming/101?a=1");
        assert_eq!((spec.user.as_str(), spec.password.expose()), ("admin", "p@#"));
        let spec = rtsp("url=rtsp://a:b@h/x&user=c&password=d").unwrap();
        assert_eq!((spec.user.as_str(), spec.password.expose()), ("c", "d"));
        assert_eq!(spec.url, "rtsp://h/x");
    }

    #[test]
    fn the_rest_of_a_url_stays_as_typed() {
        for url in ["rtsp://h", "rtmp://h:1935/live/{a}", "rtsps://h/a@b", "rtsp://h/x?y=../z"] {
            assert_eq!(rtsp(&format!("url={url}")).unwrap().url, url);
        }
    }

    #[test]
    fn the_small_picture_has_the_same_user() {
        let sub =
            |rest: &str| rtsp(&format!("url=rtsp://a:b@h/x&urlsub={rest}")).map(|spec| spec.sub_url.unwrap());
        assert_eq!(sub("rtsp://h/y").unwrap(), "rtsp://h/y");
        assert_eq!(sub("rtsp://a:b@h/y").unwrap(), "rtsp://h/y");
        let other = "parameter urlsub has another user or password than the source";
        assert_eq!(sub("rtsp://a:c@h/y").unwrap_err().to_string(), other);
        assert_eq!(sub("nonsense").unwrap_err().to_string(), "parameter urlsub is not a URL");
    }

    #[test]
    fn the_manuals_escaped_url() {
        let escaped = "rtsp%3a%2f%2f192.168.0.23%3a554%2fStreaming%2fChannels%2f101%3ftransportmode%3dunicast%26profile%3dProfile_1";
        let spec = rtsp(&format!("url={escaped}")).unwrap();
        let plain = "rtsp://192.168.0.23:554/Streaming/Channels/101?transportmode=unicast&profile=Profile_1";
        assert_eq!(spec.url, plain);
        assert_eq!(spec.kind, SourceKind::Stream);
        assert_eq!((spec.audio, spec.connect), (false, Connect::Auto));
    }

    #[test]
    fn options_are_taken_by_either_name() {
        let spec = rtsp("url=rtsp://h/&audio=true&connect=H5_ALWAYS&nRTSPType=H5_RTSP_UDP").unwrap();
        assert!(spec.audio);
        assert_eq!((spec.connect, spec.transport), (Connect::Always, RtspTransport::Udp));
    }

    #[test]
    fn bad_urls_are_refused_without_being_quoted() {
        for (url, text) in [
            ("http://a:hunter2@h/", "parameter url must start with rtsp://, rtsps://, rtmp:// or rtmps://"),
            ("hunter2", "parameter url is not a URL"),
            ("rtsp:///hunter2", "parameter url names no host"),
            ("rtsp://a:hun/ter2@h/x", "parameter url is not a URL"),
        ] {
            assert_eq!(rtsp(&format!("url={url}")).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn files_must_lie_in_an_allowed_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("files");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.mp4"), b"x").unwrap();
        std::fs::write(dir.path().join("secret"), b"x").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), root.join("link.mp4")).unwrap();
        let roots = [root.clone(), PathBuf::from("/no/such/root")];
        let add = |path: &Path| file(&params(&format!("name=a&token=b&url={}", path.display())), &roots);

        let spec = add(&root.join("a.mp4")).unwrap();
        assert_eq!(Path::new(&spec.url), root.canonicalize().unwrap().join("a.mp4"));
        assert_eq!(spec.kind, SourceKind::File);
        let outside = "parameter url: lies outside the folders that files may be played from";
        for (path, text) in [
            (root.join("no.mp4"), "parameter url: there is no such file"),
            (root.clone(), "parameter url: is not a regular file"),
            (root.join("link.mp4"), outside),
            (dir.path().join("secret"), outside),
            (dir.path().join("nothing"), outside),
            (root.join("../secret"), "parameter url: is not an absolute path without .."),
            ("video/a.mp4".into(), "parameter url: is not an absolute path without .."),
            (r"C:\xdev\h5ssample.mp4".into(), "parameter url: is not an absolute path without .."),
        ] {
            assert_eq!(add(&path).unwrap_err().to_string(), text, "{}", path.display());
        }
    }
}
