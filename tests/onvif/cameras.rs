//! Cameras that others wrote, as child processes: `make onvif-peers` installs them. Each is started in
//! the network namespace of the calling thread, and ends with its [`Camera`].
//!
//! | camera | what is odd about it |
//! |---|---|
//! | [`Camera::fleet`] | faults as HTTP 200, dispatch by `action=` alone, PTZ and Media2, a Chinese name |
//! | [`Camera::onvif_server`] | PTZ under a wrong namespace, faults without code, no unicast probes |
//! | [`Camera::ipycam`] | the time asks for a password, undeclared XML prefixes, malformed ProbeMatch; real RTSP |
//! | [`Camera::npm_mock`] | all its addresses name an unreachable host; wants one shape of request |
//! | [`Camera::digest_front`] | HTTP Digest before anything else; addresses name the camera behind it |
//! | [`Camera::two_auth`] | several challenges at once, or unusual ones; the rest as the one before |

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::process::Process;

/// Python and OpenCV on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running camera.
pub struct Camera {
    pub address: Ipv4Addr,
    pub port: u16,
    /// Of its device service.
    pub path: &'static str,
    /// Empty where it asks for none.
    pub user: &'static str,
    pub password: &'static str,
    pub process: Process,
    _files: Option<TempDir>,
}

impl Camera {
    /// `count` mock cameras of `oxvif` on one address, on [`Camera::port`] and the ports after it.
    pub fn fleet(address: Ipv4Addr, count: u16) -> Self {
        let mut command = Command::new(installed("bin/fleet"));
        command.args([&address.to_string(), "18080", &count.to_string()]);
        Self { address, port: 18080, path: "/onvif/device", user: "", password: "", ..announced(command) }
    }

    /// The same, asking for WS-UsernameToken.
    pub fn fleet_with_passwords(address: Ipv4Addr, count: u16) -> Self {
        let mut command = Command::new(installed("bin/fleet"));
        command.args([&address.to_string(), "18080", &count.to_string(), "auth"]);
        let (user, password) = ("admin", "admin");
        Self { address, port: 18080, path: "/onvif/device", user, password, ..announced(command) }
    }

    /// A camera on the crate `onvif-server`, its clock off by `skew` (`+3600s`) if given.
    pub fn onvif_server(address: Ipv4Addr, skew: Option<&str>) -> Self {
        let program = installed("bin/onvif_server");
        let mut command = match skew {
            Some(skew) => {
                let mut command = Command::new("faketime");
                command.args(["-f", skew]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args([&address.to_string(), "8080"]);
        let process = listening(command, address, &[8080]);
        Self { address, user: "admin", password: "admin", ..camera(8080, process) }
    }

    /// `ipycam`: H.264 640x360 at 15 frames by RTSP, 320x180 as the second stream, and PTZ.
    pub fn ipycam(address: Ipv4Addr) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let config = files.path().join("ipycam.json");
        fs::write(
            &config,
            r#"{"name":"IPy Cam 1","username":"admin","password":"pass123","main_width":640,"main_height":360,
                "main_fps":15,"sub_width":320,"sub_height":180,"sub_fps":15}"#,
        )
        .expect("a configuration file");
        // It gives ffmpeg five seconds to say its version, and goes without RTSP after that. On a busy machine
        // reading the program from the disk takes that long.
        Command::new("ffmpeg").arg("-version").output().expect("ffmpeg");
        let mut command = Command::new(installed("python/ipycam/bin/python"));
        command.args(["-m", "ipycam", "--hw", "cpu", "--width", "640", "--height", "360", "--fps", "15"]);
        command
            .arg("-c")
            .arg(&config)
            .arg("--source")
            .arg(installed("testclip.mp4"))
            .current_dir(files.path());
        let process = listening(command, address, &[8080, 8554]);
        let camera = camera(8080, process);
        Self { address, user: "admin", password: "pass123", _files: Some(files), ..camera }
    }

    /// The camera inside the npm package `onvif`.
    pub fn npm_mock(address: Ipv4Addr) -> Self {
        let mut command = Command::new("node");
        command.arg(peers().join("npm_mock.js")).args([&address.to_string(), "10101"]);
        command.env("NODE_PATH", installed("node/node_modules"));
        Self { address, port: 10101, ..announced(command) }
    }

    /// `lighttpd` that asks for HTTP Digest (MD5, qop=auth) and hands on to `behind`, from another address.
    pub fn digest_front(address: Ipv4Addr, behind: &Self) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let (config, users) = (files.path().join("lighttpd.conf"), files.path().join("users"));
        // admin:onvif:MD5("admin:onvif:secret")
        fs::write(&users, "admin:onvif:b282acc3713fcebcda29348826aeceb5\n").expect("a file of users");
        let text = format!(
            r#"server.document-root="/nowhere" server.bind="{address}" server.port=8091
server.modules=("mod_auth","mod_authn_file","mod_proxy")
auth.backend="htdigest"
auth.backend.htdigest.userfile="{}"
auth.require=("/onvif/"=>("method"=>"digest","realm"=>"onvif","require"=>"valid-user"))
proxy.server=("/onvif/"=>(("host"=>"{}","port"=>{})))
"#,
            users.display(),
            behind.address,
            behind.port
        );
        fs::write(&config, text).expect("a configuration file");
        let lighttpd = installed("lighttpd/usr");
        let mut command = Command::new(lighttpd.join("sbin/lighttpd"));
        command.arg("-D").arg("-m").arg(lighttpd.join("lib/lighttpd")).arg("-f").arg(config);
        let process = listening(command, address, &[8091]);
        let camera = camera(8091, process);
        let (user, password) = ("admin", "secret");
        Self { address, path: behind.path, user, password, _files: Some(files), ..camera }
    }

    /// Our own server of challenges, in one of its modes (`peers/twoauth.py`), in front of `behind`.
    pub fn two_auth(address: Ipv4Addr, mode: &str, behind: &Self) -> Self {
        let mut command = Command::new("python3");
        command.arg(peers().join("twoauth.py")).args([mode, &address.to_string(), "8092"]);
        command.args([behind.address.to_string(), behind.port.to_string()]);
        let (user, password) = ("admin", "pass");
        Self { address, port: 8092, path: behind.path, user, password, ..announced(command) }
    }
}

/// What `make onvif-peers` installed.
pub fn installed(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/onvif-peers").join(name);
    assert!(path.exists(), "{} is missing: run `make onvif-peers`", path.display());
    path
}

/// The folder with our own scripts around it.
pub fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onvif/peers")
}

fn announced(command: Command) -> Camera {
    let (process, _) = Process::start(command, PATIENCE).unwrap_or_else(|error| panic!("{error}"));
    camera(0, process)
}

fn listening(command: Command, address: Ipv4Addr, ports: &[u16]) -> Process {
    let addresses: Vec<_> = ports.iter().map(|port| SocketAddr::from((address, *port))).collect();
    Process::start_listening(command, &addresses, PATIENCE)
}

/// The usual one; what differs is set over it.
fn camera(port: u16, process: Process) -> Camera {
    let (address, path) = (Ipv4Addr::UNSPECIFIED, "/onvif/device_service");
    Camera { address, port, path, user: "", password: "", process, _files: None }
}
