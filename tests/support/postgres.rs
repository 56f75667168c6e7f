//! A PostgreSQL server for tests, as a child process; it ends with the program, however that ends.
//!
//! Shared by the black-box tests and those of the store, so nothing of the program is used here.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::{User, geteuid};

/// Of the user `h5edge`.
pub const PASSWORD: &str = "swordfish";

/// Ended when it is dropped.
pub struct Postgres {
    programs: PathBuf,
    dir: PathBuf,
    port: u16,
    /// Stops the server and removes `dir` when our end of its standard input is closed.
    guard: Child,
}

impl Postgres {
    /// A new one, with the user `h5edge` and without a database of its own.
    pub fn new() -> Self {
        let programs = programs();
        let dir = tempfile::Builder::new().prefix("h5edge-postgres").tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        own(&dir);
        let stop = r#"read -r _; "$1/pg_ctl" -D "$2/data" -m immediate stop; rm -rf "$2""#;
        let guard = unprivileged("/bin/sh")
            .args(["-c", stop, "sh"])
            .args([&programs, &dir])
            // Out of reach of what the terminal sends to the tests.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { programs, dir, port, guard };
        server.write("password", PASSWORD);
        server.run(
            "initdb",
            &["-U", "h5edge", "-A", "scram-sha-256", "--locale=C.UTF-8", "-N", "--pwfile"],
            &[server.dir.join("password")],
        );
        let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        server.write("data/server.crt", &pair.cert.pem());
        server.write("data/server.key", &pair.signing_key.serialize_pem());
        let conf = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
             ssl = on\nfsync = off\n"
        );
        server.write("data/postgresql.conf", &conf);
        server.start();
        server
    }

    pub fn start(&self) {
        self.run("pg_ctl", &["-w", "start", "-l"], &[self.dir.join("log")]);
    }

    pub fn stop(&self) {
        self.run("pg_ctl", &["-w", "-m", "fast", "stop"], &[]);
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its own certificate, for 127.0.0.1.
    pub fn certificate(&self) -> PathBuf {
        self.dir.join("data/server.crt")
    }

    /// Makes a database.
    pub fn create(&self, name: &str) {
        let output = Command::new(self.programs.join("createdb"))
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "h5edge",
                "-w",
                "-T",
                "template0",
                name,
            ])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap();
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn run(&self, program: &str, arguments: &[&str], last: &[PathBuf]) {
        let output = unprivileged(self.programs.join(program))
            .args(arguments)
            .args(last)
            .arg("-D")
            .arg(self.dir.join("data"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        assert!(output.status.success(), "{program}: {}{log}", String::from_utf8_lossy(&output.stderr));
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.join(name);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        own(&path);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().unwrap();
    }
}

/// Where Debian has the newest one's programs, else where `postgres` is found.
fn programs() -> PathBuf {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| version(path));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest
        .map(|path| path.join("bin"))
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|dir| dir.join("initdb").exists())
        .expect("PostgreSQL is not installed (debian-packages.txt)")
}

/// PostgreSQL does not run as root.
fn servant() -> Option<User> {
    let named = |name: &str| User::from_name(name).unwrap();
    geteuid().is_root().then(|| named("postgres").or_else(|| named("nobody")).unwrap())
}

fn unprivileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(user) = servant() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn own(path: &Path) {
    if let Some(user) = servant() {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
}
