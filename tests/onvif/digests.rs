//! HTTP Digest against a camera that was written without our code, in every arrangement of challenges.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use h5edge::base::secret::Secret;
use h5edge::base::spec::{OnvifSpec, Trust};
use h5edge::onvif::{Address, Camera, Service, Why};

/// `peers/twoauth.py` in one of its modes.
struct TwoAuth {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Drop for TwoAuth {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl TwoAuth {
    fn start(mode: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onvif/peers/twoauth.py");
        let mut command = Command::new("python3");
        command.args([script, mode]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = said.next().unwrap().unwrap().parse().unwrap();
        Self { child, said, port }
    }

    fn camera(&self, password: &str) -> std::sync::Arc<Camera> {
        let path = "/onvif/device_service".into();
        let (host, trust) = ("127.0.0.1".into(), Trust::Plain);
        let at = OnvifSpec { host, port: self.port, path, trust, main: None, sub: None };
        Camera::new(Address { at, user: "admin".into(), password: Secret::new(password) })
    }

    /// Ends the camera; how the logins went that it saw.
    fn logins(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.said.by_ref().map(Result::unwrap).collect()
    }
}

async fn chosen(mode: &str) -> Vec<String> {
    let camera = TwoAuth::start(mode);
    let client = camera.camera("pass");
    for _ in 0..2 {
        let answer = client.call(Service::Device, "GetDeviceInformation", "").await.unwrap();
        assert_eq!(answer.text_at(&["Model"]), Some("TwoAuth"), "{mode}");
    }
    camera.logins()
}

#[tokio::test]
async fn every_arrangement_of_challenges_is_answered_at_once() {
    for (mode, algorithm, quality) in [
        ("md5", "MD5", "auth"),
        ("sha256", "SHA-256", "auth"),
        ("basicfirst", "MD5", "auth"),
        ("digestfirst", "MD5", "auth"),
        ("sha256first", "SHA-256", "auth"),
        ("md5first", "SHA-256", "auth"),
        ("oneline", "MD5", "auth"),
        ("onelineturned", "MD5", "auth"),
        ("allinone", "SHA-256", "auth"),
        ("noqop", "None", "None"),
        ("authint", "MD5", "auth"),
        ("onlyauthint", "SHA-256", "auth-int"),
        ("session", "MD5-sess", "auth"),
        ("unquoted", "md5", "auth"),
        ("unknown", "MD5", "auth"),
    ] {
        let expected = format!("ok {algorithm} {quality}");
        assert_eq!(chosen(mode).await, [expected.as_str(), expected.as_str()], "{mode}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    for mode in ["basicfirst", "sha256first", "noqop"] {
        let camera = TwoAuth::start(mode);
        let client = camera.camera("wrong");
        for _ in 0..3 {
            let failed = client.call(Service::Device, "GetDeviceInformation", "").await.unwrap_err();
            assert_eq!(failed.why, Why::Unauthorised, "{failed}");
        }
        let logins = camera.logins();
        assert!(logins.len() == 1 && logins[0].starts_with("no"), "{mode}: {logins:?}");
    }
}
