//! The central: the real program as a child process, and what it uses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use h5edge::base::wall::Wall;
use h5edge::cloud::key::DeviceKey;
use h5edge::store::{SiteRow, Store};
use serde_json::json;

use super::{Done, source, token};

/// Ends with this.
pub struct Central(Child);

impl Central {
    /// The data of a central that has `count` sites, in `dir`, and the keys of those. It will listen on this port, for
    /// TLS or without.
    pub fn prepare(dir: &Path, count: usize, port: u16, tls: bool) -> Done<Vec<DeviceKey>> {
        let other = free_port()?;
        let (http, https) = if tls { (other, port) } else { (port, other) };
        let (webrtc, rtsp) = (free_port()?, free_port()?);
        let config = format!(
            "[http]\nbind = \"127.0.0.1\"\nport = {http}\nhttps_port = {https}\n[webrtc]\nport = {webrtc}\n\
             [rtsp]\nport = {rtsp}\n[log]\nlevel = \"error\"\n[cloud.server]\nenabled = true\n"
        );
        fs::write(dir.join("central.toml"), config)?;
        let store = Store::open(dir)?;
        let mut keys = Vec::with_capacity(count);
        for n in 0..count {
            let place = dir.join("keys").join(n.to_string());
            fs::create_dir_all(&place)?;
            let key = DeviceKey::open(&place)?;
            let row = SiteRow {
                token: token(n),
                name: format!("Site {n}"),
                uuid: String::new(),
                key: key.public(),
                enabled: true,
                added: Wall::from(SystemTime::now()),
                seen: None,
                sources: json!([source()]).to_string(),
                address: String::new(),
            };
            store.insert_site(&row, count)?;
            keys.push(key);
        }
        Ok(keys)
    }

    /// Starts it on what was prepared in `dir`, and waits until it listens.
    pub fn start(program: &Path, dir: &Path) -> Done<Self> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(dir).arg("--config").arg(dir.join("central.toml"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let central = Self(child);
        if line.is_empty() { Err("the central does not start".into()) } else { Ok(central) }
    }

    /// As a power cut does.
    pub fn kill(&mut self) -> Done<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Resident, in kB of 1000 bytes.
    pub fn memory(&self) -> Done<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1.024)
    }

    /// CPU time so far, user and kernel, in seconds.
    pub fn cpu(&self) -> Done<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let (_, fields) = stat.rsplit_once(") ").ok_or("no stat")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.kill();
    }
}

pub fn free_port() -> Done<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
