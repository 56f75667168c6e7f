"""Figures: what the box takes when nobody wants anything, and how large it is."""

import os
import re
import time
from pathlib import Path

import pytest

MIB = 1 << 20
IDLE = 60


def test_the_idle_daemon_is_small(box, shell, station, figure):
    """No source, no viewer, a minute after its start: 30 MB."""
    assert not box.ok("GetSrc").get("src"), "sources are left over from another test"
    shell.run("systemctl restart h5edge.service", timeout=120)
    box.wait_api(station.boot_seconds)
    begun = time.monotonic()
    pid = shell.unit("h5edge.service", "MainPID")["MainPID"]
    sizes = []
    while time.monotonic() < begun + IDLE:
        sizes.append(resident(shell, pid))
        time.sleep(5)
    figure("idle daemon, RSS", sizes[-1], "MB", 30)
    assert shell.unit("h5edge.service", "MainPID")["MainPID"] == pid, "it restarted meanwhile"
    assert sizes[-1] <= 30, sizes


def resident(shell, pid: str) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", shell.run(f"cat /proc/{pid}/status"), re.M)
    assert found, f"process {pid} is gone"
    return int(found[1]) * 1024 / 1e6


def test_memory_of_the_whole_box(shell, figure):
    """Reported: what the kernel says is available of what there is."""
    fields = dict(line.split(":") for line in shell.run("cat /proc/meminfo").splitlines())
    total, available = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("MemTotal", "MemAvailable"))
    figure("box, memory in use", total - available, "MB")
    assert available > total / 4, f"{available} of {total} MB"


@pytest.mark.needs("image")
def test_sizes(figure, option):
    """Of what is written and what is downloaded."""
    image = Path(os.environ["LG_DISK"])
    program = image.parent.parent / "h5edge"
    bundle = image.parent / f"h5edge-{option('board')}.raucb"
    sizes = {
        "image, written": (image.stat().st_blocks * 512 / MIB, 250),
        "update bundle": (bundle.stat().st_size / MIB, 120),
        "daemon, stripped": (program.stat().st_size / MIB, 15),
    }
    for name, (size, target) in sizes.items():
        figure(name, size, "MiB", target)
    over = {name: size for name, (size, target) in sizes.items() if size > target}
    assert not over, over
