#!/usr/bin/env python3
"""smoke.py DISK: boots the image in QEMU, as a box with an empty card, and ends well when the daemon answers over HTTP.

The disk is not written: QEMU keeps the changes to itself. The guest sees no network but the port that is forwarded from
127.0.0.1. On failure the end of what the guest said on its serial port is printed, and the exit status is 1.
"""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Seconds until it counts as failed; a free machine with two cores takes about 40.
PATIENCE = 220
PATH = "/api/v1/GetSystemInfo"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def machine(disk, port, serial):
    """The virtual box that all tests here use."""
    return [
        "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024",
        "-accel", "tcg,thread=multi", "-nodefaults", "-display", "none", "-no-reboot",
        "-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin", "-serial", f"file:{serial}",
        "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={disk}", "-device", "virtio-blk-pci,drive=disk",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:80",
        "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci", "-device", "i6300esb",
    ]


def answer(port):
    """Status and start of the daemon's answer, or None while there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", PATH)
        response = connection.getresponse()
        return response.status, response.read(300).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait(qemu, port):
    """What was answered and after how many seconds, or why nothing was."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < PATIENCE:
        if qemu.poll() is not None:
            return None, f"the machine ended after {passed:.0f} s, with status {qemu.returncode}"
        found = answer(port)
        if found is not None and found[0] < 500:
            return found, f"{passed:.1f} s from power-on to the first answer"
        time.sleep(0.5)
    return None, f"no answer on port 80 within {PATIENCE} s"


def main(disk):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        serial = Path(folder, "serial.log")
        serial.touch()
        with subprocess.Popen(machine(disk, port, serial)) as qemu:
            try:
                found, text = wait(qemu, port)
            finally:
                qemu.terminate()
        if found is None:
            lines = serial.read_text("utf-8", "replace").splitlines()
            print("\n".join(lines[-80:]), file=sys.stderr)
            print(f"smoke boot of {disk}: FAILED: {text}", file=sys.stderr)
            return 1
        print(f"smoke boot of {disk}: {text}; {PATH} says {found[0]} {found[1]}")
        return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.path.isfile(sys.argv[1]):
        sys.exit("usage: smoke.py DISK (make image-debian makes one)")
    sys.exit(main(sys.argv[1]))
