//! Three real NATS servers as one cluster, on free ports of loopback, with JetStream in a folder that goes away.
//!
//! Shared by the black-box tests and those of the cluster, so nothing of the program is used here.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Of the user `h5edge`.
pub const PASSWORD: &str = "between us nodes";

pub struct Nats {
    folder: TempDir,
    running: Vec<Option<Child>>,
    ports: Vec<u16>,
    tls: bool,
}

impl Nats {
    /// Three servers, with TLS for their clients or without.
    pub fn start(tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // All are held at a time, so that they differ.
        let held: Vec<_> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<_> = held.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        drop(held);
        if tls {
            let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            fs::write(folder.path().join("cert.pem"), key.cert.pem()).unwrap();
            fs::write(folder.path().join("key.pem"), key.signing_key.serialize_pem()).unwrap();
        }
        let mut servers = Self { folder, running: vec![None, None, None], ports, tls };
        for index in 0..3 {
            servers.revive(index);
        }
        // A node takes the first that answers, which is to be its own.
        for port in &servers.ports[..3] {
            while TcpStream::connect(("127.0.0.1", *port)).is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        servers
    }

    /// Starts server `index`, which keeps what it had on disk.
    pub fn revive(&mut self, index: usize) {
        let folder = self.folder.path().display();
        let (clients, routes) = self.ports.split_at(3);
        let all: Vec<_> = routes.iter().map(|port| format!("nats-route://127.0.0.1:{port}")).collect();
        let tls = match self.tls {
            true => format!("tls {{ cert_file: \"{folder}/cert.pem\", key_file: \"{folder}/key.pem\" }}"),
            false => String::new(),
        };
        let text = format!(
            "server_name: s{index}\nlisten: 127.0.0.1:{}\n\
             authorization {{ user: h5edge, password: \"{PASSWORD}\" }}\n{tls}\n\
             jetstream {{ store_dir: \"{folder}/s{index}\" }}\n\
             cluster {{ name: test, listen: 127.0.0.1:{}, no_advertise: true, routes: [{}] }}\n",
            clients[index],
            routes[index],
            all.join(", "),
        );
        let path = self.folder.path().join(format!("s{index}.conf"));
        fs::write(&path, text).unwrap();
        let log = fs::File::create(self.folder.path().join(format!("s{index}.log"))).unwrap();
        let child = Command::new("nats-server")
            .arg("-c")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nats-server is one of the system packages of the tests");
        self.running[index] = Some(child);
    }

    pub fn kill(&mut self, index: usize) {
        if let Some(mut child) = self.running[index].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Their addresses; the first is that of server `first`.
    pub fn addresses(&self, first: usize) -> Vec<String> {
        let scheme = if self.tls { "tls" } else { "nats" };
        (0..3).map(|turn| format!("{scheme}://localhost:{}", self.ports[(first + turn) % 3])).collect()
    }

    /// Who signed their certificates.
    pub fn authority(&self) -> Option<PathBuf> {
        self.tls.then(|| self.folder.path().join("cert.pem"))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        (0..3).for_each(|index| self.kill(index));
    }
}
