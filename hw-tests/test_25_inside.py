"""What the box looks like from inside, over SSH: units, disks, mounts, ports, and the tools that watch over it."""

import json
import re

import pytest

from waiting import wait_for

TCP = {22, 80, 443, 8189, 8554}
UDP = {68, 3702, 5353, 8189}
# With an i6300esb as with a board's own watchdog.
WATCHDOG = "/sys/class/watchdog/watchdog0"


def test_everything_has_started(shell):
    """No unit failed, none is still starting, and systemd had to break no cycle."""
    state = wait_for("the start is over", 180, lambda: _settled(shell))
    failed = shell.run("systemctl list-units --failed --plain --no-legend")
    assert state == "running" and not failed.strip(), f"{state}: {failed}"
    log = shell.run("journalctl -b -o cat --no-pager | grep -iE 'ordering cycle|found dependency loop'; true")
    assert not log.strip(), log


def _settled(shell) -> str:
    state, _, _ = shell.attempt("systemctl is-system-running")
    return state.strip() if state.strip() not in ("starting", "initializing", "") else ""


def test_the_daemon_is_no_root(shell):
    pid = shell.unit("h5edge.service", "MainPID")["MainPID"]
    status = shell.run(f"cat /proc/{pid}/status")
    uid = re.search(r"^Uid:\s+(\d+)", status, re.M)
    caps = re.search(r"^CapEff:\s+([0-9a-f]+)", status, re.M)
    assert uid and int(uid[1]) > 0
    # Ports below 1024 are the most it may need.
    assert caps and int(caps[1], 16) & ~(1 << 10) == 0, caps and caps[1]


def test_root_cannot_be_written(shell):
    """Neither by mode nor in fact; what has to change lies in RAM or on data."""
    for path in ("/hw-test", "/etc/hw-test", "/usr/hw-test", "/usr/lib/hw-test"):
        _, error, status = shell.attempt(f"touch {path}")
        assert status != 0 and "Read-only file system" in error, f"{path}: {status} {error}"
    assert _mount(shell, "/var")["fstype"] == "tmpfs"
    data = _mount(shell, "/data")
    assert data["fstype"] == "ext4" and data["options"].split(",")[0] == "rw"
    assert "noatime" in data["options"].split(",")


def _mount(shell, path: str) -> dict:
    lines = [line.split() for line in shell.run("cat /proc/self/mounts").splitlines()]
    fields = [line for line in lines if line[1] == path][-1]
    return {"source": fields[0], "fstype": fields[2], "options": fields[3]}


@pytest.mark.needs("power")
def test_data_has_grown_to_the_disk(shell):
    """The image's data partition is small; it takes all of the disk at the first start."""
    wait_for("the start is over", 180, lambda: _settled(shell))
    partition = shell.run("readlink -f /dev/disk/by-partuuid/48354544-0005-4000-8000-000000000005").strip()
    name = partition.rpartition("/")[2]
    disk = shell.run(f"basename $(dirname $(readlink -f /sys/class/block/{name}))").strip()
    size, start, part = (
        int(shell.run(f"cat /sys/class/block/{path}")) * 512
        for path in (f"{disk}/size", f"{name}/start", f"{name}/size")
    )
    # The backup of the partition table, and what is cut off to whole MiB.
    assert size - (start + part) <= 2 << 20, f"{size - start - part} bytes are left over"
    size, count = shell.run("stat -f -c '%S %b' /data").split()
    total = int(size) * int(count)
    assert total >= part * 0.9, f"the file system has {total} of {part} bytes"


def test_the_slot_is_good(shell, box):
    """Marked by the health check, and by nothing before it."""
    state = wait_for("the booted slot is good", 180, lambda: _good_slot(box))
    health = shell.unit("h5edge-health.service", "Result", "ExecMainStatus", "ActiveState")
    assert health["Result"] == "success" and health["ExecMainStatus"] == "0", health
    left = shell.boot_variable(f"BOOT_{state['strBooted']}_LEFT")
    assert left in ("", "3"), f"{left} starts are left"


def _good_slot(box) -> dict | None:
    state = box.ok("GetUpdate")
    slot = next(slot for slot in state["slots"] if slot["strName"] == state["strBooted"])
    assert slot["bBooted"] is True
    return state if slot["strBootStatus"] == "good" else None


def test_the_journal_is_in_ram(shell):
    assert shell.attempt("test -e /var/log/journal")[2] != 0
    assert shell.run("ls /run/log/journal").strip()


def test_ports_from_inside(shell):
    """Sockets that are open to others: exactly the listed ones."""
    assert _open(shell, "tcp", "0A") == TCP
    assert _open(shell, "udp", "07") == UDP


def _open(shell, kind: str, state: str) -> set[int]:
    """Local ports of listening, or unconnected, sockets that are not on loopback."""
    found = set()
    for line in shell.run(f"cat /proc/net/{kind} /proc/net/{kind}6").splitlines():
        fields = line.split()
        if fields[0] == "sl" or fields[3] != state:
            continue
        address, _, port = fields[1].partition(":")
        # 127.x.x.x and ::1, as the kernel writes them on a little-endian machine.
        if (address.endswith("7F") and len(address) == 8) or address == "0" * 24 + "01000000":
            continue
        found.add(int(port, 16))
    return found


def test_the_watchdog_is_fed(shell):
    """systemd feeds the hardware one, and the daemon feeds systemd."""
    assert shell.run(f"cat {WATCHDOG}/state").strip() == "active"
    timeout = int(shell.run(f"cat {WATCHDOG}/timeout"))
    assert 5 <= timeout <= 60, timeout
    daemon = shell.unit("h5edge.service", "WatchdogUSec", "Type", "Restart")
    assert daemon["Type"] == "notify" and daemon["WatchdogUSec"] == "20s", daemon
    assert daemon["Restart"] in ("always", "on-failure"), daemon


def test_what_the_image_says_it_is(shell, box, option):
    """os-release, the program and the API agree."""
    lines = shell.run("cat /usr/lib/os-release").splitlines()
    release = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    told = box.ok("GetUpdate")
    assert release["ID"] == "h5edge" and release["H5EDGE_BOARD"] == option("board")
    assert release["VERSION_ID"] == told["strVersion"] and release["BUILD_ID"] == told["strBuild"]
    assert told["strCompatible"] == f"h5edge-{release['H5EDGE_BOARD']}"
    assert shell.run("h5edge version").strip() == f"h5edge {told['strVersion']} ({told['strBuild']})"
    assert told["strVariant"] == release["VARIANT_ID"] and told["strVariant"] in ("dev", "release")


def test_nothing_secret_is_in_the_image(shell):
    """No password of root's, no keys of hosts, none of signing."""
    shadow = shell.run("cat /etc/shadow 2>/dev/null; true")
    with_hash = [line for line in shadow.splitlines() if line.split(":")[1][:1] == "$" or line.split(":")[1] == ""]
    assert not with_hash, "an account with a password, or with an empty one"
    found = shell.run("grep -rlE 'BEGIN ([A-Z]+ )?PRIVATE KEY' /etc /usr/share /usr/lib/systemd 2>/dev/null; true")
    assert not found.strip(), found


def test_how_long_units_took(shell, figure):
    """For the chart of the start; systemd's own measure."""
    out, _, status = shell.attempt("systemctl show -p UserspaceTimestampMonotonic -p FinishTimestampMonotonic")
    assert status == 0
    times = dict(line.split("=") for line in out.splitlines())
    daemon = int(shell.unit("h5edge.service", "ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"])
    begun = int(times["UserspaceTimestampMonotonic"])
    assert 0 < begun < daemon, json.dumps(times)
    figure("kernel to systemd", begun / 1e6, "s")
    figure("systemd to daemon ready", (daemon - begun) / 1e6, "s")
