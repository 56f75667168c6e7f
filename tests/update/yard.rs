//! A box's updater outside a box: a bus of its own, the real RAUC service with two files as slots and a
//! script in place of a boot loader, and the real helper on its socket. Programs that would restart the
//! machine are scripts that write down what they were asked.

use std::{
    fs,
    io::Write,
    os::{
        fd::AsRawFd,
        unix::{fs::PermissionsExt, net::UnixListener, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{daemon::Daemon, scene, wait_for};

const PATIENCE: Duration = Duration::from_secs(20);

/// Everything, ended and removed on drop.
pub struct Yard {
    pub dir: TempDir,
    children: Vec<Child>,
}

impl Yard {
    /// Bus and updater; `None` without root, which loop mounts take.
    pub fn start() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: bundles are mounted, which takes root");
            return None;
        }
        let mut yard = Self { dir: tempfile::tempdir().expect("a folder"), children: Vec::new() };
        for folder in ["data/update", "data/system", "etc/h5edge", "bin", "boot", "mnt"] {
            fs::create_dir_all(yard.path(folder)).expect("a folder");
        }
        yard.keys("ours");
        yard.keys("theirs");
        yard.files();
        let config = format!("--config-file={}", yard.text("bus.conf"));
        yard.spawn(Command::new("dbus-daemon").args([&config, "--nofork", "--nopidfile"]));
        wait_for("the bus", PATIENCE, || yard.path("bus").exists().then_some(()));
        let config = yard.text("system.conf");
        let mut rauc = Command::new("rauc");
        rauc.args(["service", "--conf", &config, "--override-boot-slot=A"]);
        yard.spawn(rauc.env("DBUS_SYSTEM_BUS_ADDRESS", yard.bus()));
        wait_for("the updater", PATIENCE, || {
            let mut ping = Command::new("dbus-send");
            ping.args(["--system", "--print-reply", "--dest=de.pengutronix.rauc", "/"]);
            ping.arg("org.freedesktop.DBus.Peer.Ping").env("DBUS_SYSTEM_BUS_ADDRESS", yard.bus());
            ping.output().expect("a ping").status.success().then_some(())
        });
        Some(yard)
    }

    /// A daemon that takes this for its box, logged in, with its helper.
    pub fn daemon(&mut self) -> Daemon {
        let daemon = scene::daemon(&self.appliance());
        self.helper();
        daemon
    }

    /// `[appliance]`
    pub fn appliance(&self) -> String {
        let (socket, folder) = (self.path("helper.sock"), self.path("data/update"));
        format!("[appliance]\nhelper = {socket:?}\nupdate_dir = {folder:?}\n")
    }

    /// Starts the helper as systemd does: with its socket as descriptor 3.
    fn helper(&mut self) {
        let listener = UnixListener::bind(self.path("helper.sock")).expect("a socket");
        let mut command = Command::new("sh");
        command.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_h5edge")]);
        command.args(["helper", "--user", "root", "--root"]).arg(self.dir.path());
        command.env("DBUS_SYSTEM_BUS_ADDRESS", self.bus());
        command.env("PATH", format!("{}:/usr/bin:/bin", self.text("bin")));
        let socket = listener.as_raw_fd();
        // SAFETY: dup2 and fcntl may be called between fork and exec.
        unsafe {
            command.pre_exec(move || {
                nix::libc::dup2(socket, 3);
                nix::libc::fcntl(3, nix::libc::F_SETFD, 0);
                Ok(())
            });
        }
        self.spawn(&mut command);
    }

    /// A bundle with `content` for the slot, signed by `keys`; its path.
    pub fn bundle(&self, name: &str, compatible: &str, version: &str, content: &[u8], keys: &str) -> PathBuf {
        let folder = self.path(&format!("{name}.d"));
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("rootfs.img"), content).expect("an image");
        let manifest = format!(
            "[update]\ncompatible={compatible}\nversion={version}\n[image.rootfs]\nfilename=rootfs.img\n"
        );
        fs::write(folder.join("manifest.raucm"), manifest).expect("a manifest");
        let bundle = self.path(&format!("{name}.raucb"));
        let (cert, key) = (self.text(&format!("{keys}.cert")), self.text(&format!("{keys}.key")));
        let mut command = Command::new("rauc");
        command.args(["bundle", "--cert", &cert, "--key", &key]).arg(folder).arg(&bundle);
        run(&mut command);
        bundle
    }

    /// What was asked of the program `name` so far, one call a line.
    pub fn asked(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}.asked"))).unwrap_or_default()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Names in the folder of updates.
    pub fn inbox(&self) -> Vec<String> {
        let names = fs::read_dir(self.path("data/update")).expect("a folder");
        names.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("text").to_owned()
    }

    fn bus(&self) -> String {
        format!("unix:path={}", self.text("bus"))
    }

    fn keys(&self, name: &str) {
        let (key, cert) = (self.text(&format!("{name}.key")), self.text(&format!("{name}.cert")));
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=test"]);
        run(command.args(["-keyout", &key, "-out", &cert]));
    }

    fn files(&self) {
        for slot in ["a.img", "b.img"] {
            let file = fs::File::create(self.path(slot)).expect("a slot");
            file.set_len(32 << 20).expect("a slot");
        }
        fs::write(self.path("boot/primary"), "A\n").expect("a file");
        // RAUC's interface for boot loaders it does not know.
        self.script(
            &self.path("backend"),
            "case \"$1\" in
             get-primary) cat $d/boot/primary || exit 1 ;;
             set-primary) echo $2 >$d/boot/primary; echo good >$d/boot/$2 ;;
             get-state) cat $d/boot/$2 2>/dev/null || echo good ;;
             set-state) echo $3 >$d/boot/$2 ;;
             get-current) echo A ;;
             esac\necho \"$@\" >>$d/backend.asked\n",
        );
        for name in ["systemctl", "fw_setenv"] {
            self.script(&self.path("bin").join(name), &format!("echo \"$@\" >>$d/{name}.asked\n"));
        }
        let journal = "echo \"$@\" >>$d/journalctl.asked\nfor n in 1 2 3; do echo \"line $n\"; done\n";
        self.script(&self.path("bin/journalctl"), journal);
        let root = self.dir.path().display();
        let system = format!(
            "[system]\ncompatible=h5edge-test\nbootloader=custom\nstatusfile={root}/data/system/rauc.status\n\
             bundle-formats=plain\nmountprefix={root}/mnt\n[keyring]\npath={root}/ours.cert\n\
             [handlers]\nbootloader-custom-backend={root}/backend\n\
             [slot.rootfs.0]\ndevice={root}/a.img\ntype=raw\nbootname=A\n\
             [slot.rootfs.1]\ndevice={root}/b.img\ntype=raw\nbootname=B\n"
        );
        fs::write(self.path("system.conf"), system).expect("a configuration");
        let bus = format!(
            "<busconfig><type>system</type><listen>unix:path={root}/bus</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\
             <allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
             <allow send_type=\"method_call\"/></policy></busconfig>"
        );
        fs::write(self.path("bus.conf"), bus).expect("a configuration");
    }

    fn script(&self, path: &Path, text: &str) {
        let mut file = fs::File::create(path).expect("a script");
        write!(file, "#!/bin/sh\nd={}\n{text}", self.dir.path().display()).expect("a script");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a script");
    }

    fn spawn(&mut self, command: &mut Command) {
        let child = command.stdin(Stdio::null()).spawn();
        self.children.push(child.unwrap_or_else(|error| panic!("{command:?}: {error}")));
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Left over only where a test failed in the middle of an installation.
        let _ = Command::new("umount").arg("--quiet").arg(self.path("mnt/bundle")).output();
    }
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}
