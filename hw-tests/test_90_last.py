"""What ends with a restart or with an empty box: watchdogs, the log, the disk's health, factory reset."""

import re
import time

import pytest
import requests

from waiting import wait_for

TOKEN = "last"
BOOT_STATE = "/dev/disk/by-partuuid/48354544-0004-4000-8000-000000000004"


def test_the_log_can_be_downloaded(box, station):
    """As text, as long as asked for, and without secrets."""
    box.ok("Keepalive")
    answer = requests.get(box.url("/api/v1/GetLog?lines=200"), timeout=60)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 20 <= len(lines) <= 210, len(lines)
    assert any("h5edge" in line for line in lines)
    assert station.password not in answer.text and box.session not in answer.text
    assert "lines" in box.refused("GetLog", lines="many")


def test_the_disk_tells_its_wear(box, shell):
    """Bytes written grow with what is written."""
    before = box.ok("GetStorageHealth")
    device = before["devices"][0]
    assert device["strName"] and device["nBytes"] > 1 << 30 and device["nBytesWritten"] > 0
    assert device["nLifeUsedPercent"] is None or 0 <= device["nLifeUsedPercent"] <= 110
    data = before["data"]
    assert data["bReadOnly"] is False and 0 < data["nFree"] < data["nBytes"] <= device["nBytes"]
    shell.run("dd if=/dev/urandom of=/data/hw-test bs=1M count=8 conv=fsync 2>/dev/null; rm /data/hw-test")
    after = box.ok("GetStorageHealth")["devices"][0]
    assert after["nBytesWritten"] - device["nBytesWritten"] >= 8 << 20


@pytest.mark.needs("cut")
@pytest.mark.parametrize("copy", [0, 1])
def test_one_copy_of_the_boot_state_is_enough(box, shell, station, copy):
    """A power cut can tear the one that is being written: slot, counts and identity are in the other, and both are
    whole again after the start."""
    before, booted = box.setup_state(), box.ok("GetUpdate")["strBooted"]
    wait_for("this start was found good", 180, lambda: shell.boot_variable(f"BOOT_{booted}_LEFT") in ("3", ""))
    known = sorted(shell.run("fw_printenv").splitlines())
    shell.run(f"dd if=/dev/zero of={BOOT_STATE} bs=64k seek={copy} count=1 conv=notrunc,fsync 2>/dev/null")
    station.cut()
    station.wait_restarted()
    assert box.setup_state()["strDeviceId"] == before["strDeviceId"]
    assert box.ok("GetUpdate")["strBooted"] == booted
    wait_for("the start is found good", 180, lambda: shell.boot_variable(f"BOOT_{booted}_LEFT") in ("3", ""))
    assert sorted(shell.run("fw_printenv").splitlines()) == known
    head = shell.run(f"dd if={BOOT_STATE} bs=64k skip={copy} count=1 2>/dev/null | head -c 4 | od -An -tx1")
    assert head.split() != ["00"] * 4, f"copy {copy} was not written again"


def test_a_daemon_that_hangs_is_started_anew(box, shell, station, figure):
    """Stopped by SIGSTOP it tells systemd nothing more, and is replaced within 30 s."""
    pid = shell.unit("h5edge.service", "MainPID")["MainPID"]
    begun = time.monotonic()
    shell.run(f"kill -STOP {pid}")

    def replaced():
        unit = shell.unit("h5edge.service", "MainPID", "ActiveState")
        return unit["MainPID"] not in (pid, "0") and unit["ActiveState"] == "active"

    wait_for("another daemon runs", 60, replaced)
    took = time.monotonic() - begun
    figure("hanging daemon replaced after", took, "s", 30)
    assert took <= 30, f"{took:.1f} s"
    box.wait_api(30)
    box.login()


@pytest.mark.needs("console", "cut")
def test_a_kernel_that_hangs_is_reset(box, shell, station, figure):
    """It panics and is told not to restart by itself: the hardware's watchdog is all that is left."""
    boot = shell.run("cat /proc/sys/kernel/random/boot_id").strip()
    shell.run("sysctl -q kernel.panic=0 2>/dev/null || echo 0 > /proc/sys/kernel/panic")
    assert shell.run("cat /proc/sys/kernel/panic").strip() == "0"
    begun = station.started = time.time()
    # The connection would hang with the kernel, for longer than the box takes to come back.
    shell.run("(sleep 3; echo c > /proc/sysrq-trigger) >/dev/null 2>&1 &")
    station.leave()
    fired = wait_for("the watchdog fires", 120, lambda: station.power.event("WATCHDOG", begun))
    figure("hanging kernel reset after", fired - begun, "s")
    station.wait_restarted()
    assert shell.run("cat /proc/sys/kernel/random/boot_id").strip() != boot


@pytest.mark.needs("fresh")
def test_factory_reset_needs_the_password(box):
    assert "password" in box.refused("FactoryReset", password="wrong-one-1").lower()
    assert "password" in box.refused("FactoryReset").lower()
    assert box.setup_state()["bSetupRequired"] is False


@pytest.mark.needs("fresh", "lan")
def test_factory_reset(box, shell, station, camera):
    """The box is as new, and still the same: sources, recordings, users, name, zone and SSH are gone, its id stays."""
    box.add_camera(TOKEN, camera.url, connect="H5_ALWAYS")
    box.wait_source(TOKEN, "pictures", 60, lambda entry: entry.get("strVideoType"))
    box.ok("Record", token=TOKEN, duration="2")
    wait_for("a recording", 60, lambda: [e for e in box.recordings(TOKEN) if e["strDuration"] != "0"])
    box.ok("SetHostname", name="old-name")
    box.ok("SetTime", zone="Asia/Tokyo")
    before = box.setup_state()
    slot = box.ok("GetUpdate")["strBooted"]
    host_key = box.ok("GetSsh")["strHostFingerprint"]
    old_password, old_session = box.password, box.session
    station.leave()
    box.ok("FactoryReset", password=old_password)
    station.started = time.time()
    box.wait_gone(90)
    state = box.wait_api(station.boot_seconds + 60)
    assert state["bSetupRequired"] is True
    assert state["strDeviceId"] == before["strDeviceId"]
    assert re.fullmatch(r"h5edge-[0-9a-f]{6}", state["strHostname"]), state
    assert not box.port_open(22)
    login = box.raw("Login", {"user": "admin", "password": old_password}).json()
    assert login["bStatus"] is False and login["bSetupRequired"] is True
    assert box.raw("GetSrc", {"session": old_session}).status_code == 401
    station.transition("service")
    assert not box.ok("GetSrc").get("src")
    assert box.refused("Search", token=TOKEN, type="record", start="1970-01-02T000000Z", end="2100-01-01T000000Z")
    assert box.ok("GetTime")["strZone"] in ("UTC", "Etc/UTC")
    assert box.ok("GetSsh")["strHostFingerprint"] != host_key
    assert box.ok("GetUpdate")["strBooted"] == slot
    assert not shell.run("ls /data/h5edge/mediastore/record 2>/dev/null; true").strip()
