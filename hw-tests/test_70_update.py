"""Updates over the API: good ones are taken, bad ones are refused, and a system that does not work falls back.

The bundles are made with the image: good, tampered, wrong-board, wrong-key, no-kernel, broken-daemon. The first test
finds slot A booted, and the last one leaves it so.
"""

import time

import pytest
import requests

from waiting import wait_for

pytestmark = pytest.mark.needs("bundles")

# A slot of some hundred megabytes, written by an emulated machine.
INSTALL = 600
SOURCE = "kept"


@pytest.fixture(scope="module", autouse=True)
def slot_a(station):
    """Settings that an update must leave alone."""
    station.transition("service")
    box = station.box
    wait_good(box, "A")
    if not box.source(SOURCE):
        box.ok("AddSrcRTSP", name="kept", token=SOURCE, url="rtsp://192.168.77.9/none")
    yield
    box.ok("DelSrc", token=SOURCE)


def upload(box, path) -> dict:
    """The answer to a bundle that is sent as a page sends it."""
    box.ok("Keepalive")
    with open(path, "rb") as body:
        answer = requests.post(
            box.url("/api/v1/UploadUpdate"),
            data=body,
            timeout=INSTALL,
            headers={"Content-Type": "application/octet-stream"},
        )
    return answer.json()


def watch(box, seconds: float = INSTALL) -> tuple[dict, list[tuple[str, int]]]:
    """The end of an installation, and the different states and percentages seen on the way."""
    seen: list[tuple[str, int]] = []

    def over():
        state = box.ok("GetUpdate")
        step = (state["strState"], state["nPercent"])
        if not seen or seen[-1] != step:
            seen.append(step)
        return state if state["strState"] in ("done", "failed") else None

    return wait_for("the installation is over", seconds, over, pause=0.3), seen


def install(box, **params) -> tuple[dict, list[tuple[str, int]]]:
    """An installation that has to succeed."""
    box.ok("InstallUpdate", **params)
    state, seen = watch(box)
    assert state["strState"] == "done", state
    assert state["bRebootNeeded"] is True, state
    return state, seen


def install_fails(box, **params) -> str:
    """An installation that has to be refused, or to fail later; why."""
    answer = box.call("InstallUpdate", **params)
    if answer["bStatus"] is False:
        assert answer["strCode"], answer
        return answer["strCode"]
    state, _ = watch(box)
    assert state["strState"] == "failed" and state["strText"], state
    return state["strText"]


def slots(state: dict) -> dict[str, dict]:
    return {slot["strName"]: slot for slot in state["slots"]}


def lasting(box, shell) -> dict:
    """What a refused update must not change: which slot is next, and the one that runs. The other one's content
    is gone when the damage shows while it is written."""
    state = box.ok("GetUpdate")
    booted = state["strBooted"]
    return {
        "next": shell.boot_variable("BOOT_ORDER").split()[0],
        "booted": booted,
        "left": shell.boot_variable(f"BOOT_{booted}_LEFT"),
        "slot": slots(state)[booted],
        "reboot": state["bRebootNeeded"],
    }


def wait_good(box, slot: str, seconds: float = 240) -> dict:
    """Until the box runs from `slot`, and the health check has found that good."""

    def look():
        state = box.ok("GetUpdate")
        if state["strBooted"] == slot and slots(state)[slot]["strBootStatus"] == "good":
            return state
        return None

    return wait_for(f"slot {slot} runs and is good", seconds, look, pause=2)


def wait_back(station, slot: str, seconds: float) -> dict:
    """After a restart that may take several: the box, running from `slot` again."""
    station.leave()
    station.box.wait_gone(90)
    state = wait_good(station.box, slot, seconds)
    wait_for("port 22 opens", 60, lambda: station.box.port_open(22))
    station.enter()
    return state


@pytest.mark.parametrize(
    ("bundle", "named"),
    [("tampered", ""), ("wrong-board", "compatible"), ("wrong-key", "signature")],
)
def test_bad_bundles_are_refused(box, shell, bundles, bundle, named):
    """At the upload, or at the installation; with the reason, and with nothing changed."""
    before = lasting(box, shell)
    answer = upload(box, bundles / f"{bundle}.raucb")
    reason = answer["strCode"] if answer["bStatus"] is False else install_fails(box)
    assert reason and named in reason.lower(), reason
    assert lasting(box, shell) == before


def test_what_is_no_bundle_is_refused(box, shell, run_dir):
    before = lasting(box, shell)
    path = run_dir / "garbage.raucb"
    path.write_bytes(b"no bundle " * 100_000)
    answer = upload(box, path)
    assert answer["bStatus"] is False and answer["strCode"], answer
    assert box.refused("InstallUpdate")
    assert lasting(box, shell) == before


def test_uploads_need_an_administrator(box):
    answer = requests.post(f"http://{box.address}/api/v1/UploadUpdate", data=b"x" * 1000, timeout=30)
    assert answer.status_code == 401 and answer.json()["bStatus"] is False


def test_an_upload_larger_than_the_disk_is_refused(box):
    """By what it says of itself, before it is sent."""
    box.ok("Keepalive")

    def body():
        yield b"x" * 65536

    request = requests.Request("POST", box.url("/api/v1/UploadUpdate"), data=body()).prepare()
    del request.headers["Transfer-Encoding"]
    request.headers["Content-Length"] = str(100 << 30)
    try:
        answer = requests.Session().send(request, timeout=30)
        assert answer.status_code in (200, 413) and answer.json()["bStatus"] is False, answer.text[:300]
    except requests.ConnectionError:
        # Refused by hanging up; the next line says whether the box itself took harm.
        pass
    assert box.ok("GetUpdate")["strState"] in ("idle", "failed")


@pytest.mark.parametrize(
    "url", ["ftp://192.168.77.1/x", "file:///etc/passwd", "http://", "/data/x.raucb", "http://a b/c"]
)
def test_bad_addresses_are_refused(box, url):
    assert "url" in box.refused("InstallUpdate", url=url)


def test_a_server_that_dies_in_the_middle(box, shell, bundles, file_server):
    """The installation fails with a reason, and the box goes on from where it is."""
    before = lasting(box, shell)
    file_server.dies_after = (bundles / "good.raucb").stat().st_size // 2
    assert install_fails(box, url=f"{file_server.url}/good.raucb")
    assert file_server.sent > 0
    assert install_fails(box, url=f"{file_server.url}/missing.raucb")
    assert lasting(box, shell) == before


def test_no_kernel_falls_back(box, shell, station, bundles, features):
    """A slot that U-Boot cannot start is tried three times and given up, without anybody's help."""
    answer = upload(box, bundles / "no-kernel.raucb")
    assert answer["bStatus"] is True and answer["strVersion"] and answer["strCompatible"], answer
    install(box)
    assert shell.boot_variable("BOOT_ORDER").split()[0] == "B"
    station.started = time.time()
    box.ok("Reboot")
    state = wait_back(station, "A", station.boot_seconds + 60)
    assert slots(state)["B"]["strBootStatus"] == "bad", state
    assert shell.boot_variable("BOOT_B_LEFT") == "0"
    if "console" in features:
        assert starts(station) == ["B", "B", "B", "A"]


def starts(station) -> list[str]:
    """The slots that U-Boot has started, or tried to, since the last restart was asked for."""
    text = "h5edge: starting slot "
    said = [line.partition(text)[2] for at, line in station.power.lines if at >= station.started]
    return [rest[0] for rest in said if rest]


def test_a_broken_daemon_falls_back(box, shell, station, file_server, figure, features):
    """A slot that starts and does not work is not marked good, and starts into the next count.

    Two of the three counts are used up beforehand: the one above has counted all three."""
    install(box, url=f"{file_server.url}/broken-daemon.raucb")
    shell.run("fw_setenv BOOT_B_LEFT 1")
    station.started = time.time()
    box.ok("Reboot")
    state = wait_back(station, "A", station.boot_seconds * 2 + 240)
    if "console" in features:
        assert starts(station) == ["B", "A"]
    figure("broken update undone after", time.time() - station.started, "s")
    assert slots(state)["B"]["strBootStatus"] == "bad", state
    assert shell.boot_variable("BOOT_B_LEFT") == "0"


def test_a_good_update(box, shell, station, bundles, figure):
    """Uploaded, installed with progress, started, checked, marked good; and everything of the user's is there."""
    begun = time.monotonic()
    answer = upload(box, bundles / "good.raucb")
    assert answer["bStatus"] is True, answer
    figure("upload of a bundle", time.monotonic() - begun, "s")
    begun = time.monotonic()
    state, seen = install(box)
    figure("installation", time.monotonic() - begun, "s")
    steps = [percent for name, percent in seen if name == "installing"]
    assert len(steps) >= 2 and steps == sorted(steps), seen
    assert slots(state)["B"]["strVersion"] == answer["strVersion"], state
    device, release = box.setup_state()["strDeviceId"], shell.run("cat /usr/lib/os-release")
    station.reboot()
    state = wait_good(box, "B")
    assert not state["bRebootNeeded"] and shell.run("cat /usr/lib/os-release") != release
    assert slots(state)["A"]["strBootStatus"] == "good", state
    assert box.setup_state()["strDeviceId"] == device
    assert box.source(SOURCE), "the source is gone"
    # The bundle is not kept for ever.
    assert not shell.run("ls /data/update").strip()


def test_roll_back(box, station):
    """To the slot before, which is still good."""
    if box.ok("GetUpdate")["strBooted"] != "B":
        pytest.skip("slot B does not run: the test before has to pass")
    box.ok("RollBack")
    assert box.ok("GetUpdate")["bRebootNeeded"] is True
    station.reboot()
    state = wait_good(box, "A")
    assert slots(state)["B"]["strBootStatus"] == "good", state
    assert box.source(SOURCE)
