"""The box as a QEMU machine on the tap of the lab network: power, reset and console for labgrid.

labgrid's own QEMUDriver cannot be switched on again with another clock, throws QMP events away and gives the
console no times; this one does those and nothing else. Two threads per running machine read the console and
QMP until the machine ends; the console is kept in a file, its lines and the events also in memory, for one run.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.protocol import PowerProtocol, ResetProtocol
from labgrid.step import step

from waiting import wait_for

MAC = "52:54:00:48:35:01"


@target_factory.reg_driver
@attr.s(eq=False)
class QemuBox(Driver, PowerProtocol, ResetProtocol):
    """
    Args:
        qemu: key in `tools`
        disk: key in `images`; a copy of it, enlarged to `disk_bytes`, is used
        firmware: key in `images`
        run: folder for the disk and the console's log
    """

    qemu = attr.ib(validator=attr.validators.instance_of(str))
    disk = attr.ib(validator=attr.validators.instance_of(str))
    firmware = attr.ib(validator=attr.validators.instance_of(str))
    run = attr.ib(validator=attr.validators.instance_of(str))
    disk_bytes = attr.ib(default=4 << 30, validator=attr.validators.instance_of(int))

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self._process = None
        self._guard = threading.Lock()
        self._commands = threading.Lock()
        self._answer = None
        self._answered = threading.Event()
        # Both (time.time(), what).
        self.lines: list[tuple[float, str]] = []
        self.events: list[tuple[float, str]] = []
        # What `-rtc base=` is given.
        self.clock = "utc"

    def on_deactivate(self):
        self.off()

    # -- power -------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @step()
    def on(self):
        if self.running:
            return
        folder = Path(self.run)
        copy = folder / "disk.img"
        if not copy.exists():
            self._copy(copy)
        path = folder / "serial.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(30)
            with open(folder / "qemu.log", "ab") as log:
                self._process = subprocess.Popen(
                    self._command(copy, path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
            try:
                serial, _ = listener.accept()
            except TimeoutError:
                self._process.kill()
                raise AssertionError(f"QEMU did not start: see {folder / 'qemu.log'}") from None
        console = threading.Thread(target=self._read_console, args=(serial,), daemon=True)
        events = threading.Thread(target=self._read_qmp, args=(self._process.stdout,), daemon=True)
        console.start()
        events.start()
        self.execute("qmp_capabilities")
        self.execute("cont")

    @step()
    def off(self):
        """At once, as when the plug is pulled."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        self._process = None

    @step()
    def cycle(self):
        self.off()
        self.on()

    @step()
    def reset(self):
        self.execute("system_reset")

    def wait_off(self, seconds: float) -> None:
        """Until the machine has switched itself off."""
        assert self._process is not None, "it never ran"
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still on after {seconds:g} s") from None
        self._process = None

    # -- what it said ------------------------------------------------------------------------------------

    def seen(self, text: str, since: float) -> float | None:
        """When the console first showed `text` after `since`."""
        with self._guard:
            return next((at for at, line in self.lines if at >= since and text in line), None)

    def wait_line(self, text: str, since: float, seconds: float) -> float:
        return wait_for(f"{text!r} on the console", seconds, lambda: self.seen(text, since))

    def event(self, name: str, since: float) -> float | None:
        with self._guard:
            return next((at for at, event in self.events if at >= since and event == name), None)

    def execute(self, command: str) -> dict:
        """A QMP command and its answer."""
        with self._commands:
            assert self.running, "the machine is off"
            self._answered.clear()
            self._process.stdin.write(json.dumps({"execute": command}).encode() + b"\n")
            self._process.stdin.flush()
            assert self._answered.wait(30), f"no answer to {command}"
            assert "error" not in self._answer, f"{command}: {self._answer}"
            return self._answer["return"]

    # -- inside ------------------------------------------------------------------------------------------

    def _command(self, disk: Path, serial: Path) -> list[str]:
        config = self.target.env.config
        return [
            config.get_tool(self.qemu),
            *["-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024", "-accel", "tcg,thread=multi"],
            *["-nodefaults", "-display", "none", "-S", "-qmp", "stdio"],
            *["-bios", config.get_image_path(self.firmware)],
            *["-drive", f"if=virtio,format=raw,file={disk}"],
            *["-netdev", "tap,id=lan,ifname=tap0,script=no,downscript=no"],
            *["-device", f"virtio-net-pci,netdev=lan,mac={MAC},romfile="],
            *["-device", "virtio-rng-pci", "-device", "i6300esb"],
            *["-rtc", f"base={self.clock}"],
            *["-chardev", f"socket,id=console,path={serial}", "-serial", "chardev:console"],
        ]

    def _copy(self, copy: Path) -> None:
        """A disk of the run's own, larger than the image, as an SD card is."""
        image = Path(self.target.env.config.get_image_path(self.disk))
        assert image.exists(), f"no image {image}"
        partial = copy.with_suffix(".part")
        subprocess.run(["cp", "--sparse=always", image, partial], check=True)
        os.truncate(partial, max(self.disk_bytes, image.stat().st_size))
        shutil.move(partial, copy)

    def _read_console(self, serial: socket.socket) -> None:
        rest = b""
        with serial, open(Path(self.run) / "console.log", "a") as log, contextlib.suppress(OSError):
            while data := serial.recv(4096):
                now = time.time()
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    text = line.decode(errors="replace").rstrip("\r")
                    with self._guard:
                        self.lines.append((now, text))
                    stamp = time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03}"
                    print(stamp, text, file=log, flush=True)

    def _read_qmp(self, pipe) -> None:
        for line in pipe:
            message = json.loads(line)
            if "event" in message:
                with self._guard:
                    self.events.append((time.time(), message["event"]))
            elif "QMP" not in message:
                self._answer = message
                self._answered.set()
