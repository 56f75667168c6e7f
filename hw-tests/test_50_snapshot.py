"""Pictures by the hardware's decoder, and without it."""

import json
import time

import pytest

from lab.camera import HEIGHT, WIDTH
from shell import Shell
from waiting import wait_for

TOKEN = "still"
# A drop-in in RAM that puts another configuration in place of the image's.
DROP_IN = "/run/systemd/system/h5edge.service.d/hw-test.conf"


@pytest.fixture(scope="module")
def pictured(station, camera, option):
    """The box with a camera that is always pulled; gone afterwards."""
    station.transition("service")
    box, module = station.box, option("decoder_module", "")
    if module:
        # A stand-in does not load by itself, as real hardware's driver does; elements are counted at the start.
        shell = Shell(station)
        shell.run(f"modprobe {module}")
        restart(box, shell, station)
    box.add_camera(TOKEN, camera.url, connect="H5_ALWAYS")
    box.wait_source(TOKEN, "pictures", 60, lambda entry: entry.get("strVideoType"))
    yield box
    box.ok("DelSrc", token=TOKEN)


def image(box) -> tuple[bytes, float]:
    """A JPEG of the source's size, and how long it took."""
    asked = time.monotonic()
    data = box.download(f"/api/v1/GetImage?token={TOKEN}")
    took = time.monotonic() - asked
    assert jpeg_size(data) == (WIDTH, HEIGHT), data[:20]
    return data, took


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height from a JPEG's frame header."""
    assert data[:2] == b"\xff\xd8" and data.rstrip(b"\0")[-2:] == b"\xff\xd9", "not a whole JPEG"
    at = 2
    while data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + length
    raise AssertionError("a JPEG without a frame header")


def decoders(box) -> dict[str, dict]:
    """Those for H.264, by element."""
    return {entry["strElement"]: entry for entry in box.ok("GetCodecInfo")["decoder"] if entry["strCodec"] == "H264"}


def in_use(box) -> dict:
    (used,) = [entry for entry in decoders(box).values() if entry["bInUse"]]
    return used


def given_up(box, element) -> dict | None:
    decoder = decoders(box)[element]
    return decoder if decoder["strState"] != "ok" else None


def test_a_picture_is_made(box, pictured, figure, fact):
    """By whatever there is; which one is told."""
    image(box)
    figure("a snapshot, from call to answer", min(image(box)[1] for _ in range(3)) * 1000, "ms")
    used = in_use(box)
    assert used["strState"] == "ok", used
    fact(
        "decoders",
        ", ".join(
            f"{entry['strCodec']} {entry['strElement']}"
            for entry in box.ok("GetCodecInfo")["decoder"]
            if entry["bInUse"]
        ),
    )


@pytest.mark.needs("hwdec")
def test_the_hardware_makes_it(box, pictured, option):
    """Once it has shown that it can: until then software does the work."""
    element = option("decoder")
    wait_for("the probe is over", 60, lambda: decoders(box)[element]["strState"] != "unprobed")
    wait_for("a picture by it", 20, lambda: image(box) and in_use(box)["strElement"] == element, pause=1)
    used = in_use(box)
    assert used["strState"] == "ok" and used["bHardware"] is True, json.dumps(decoders(box))


@pytest.mark.needs("hwdec")
def test_without_the_device_software_makes_it(box, pictured, shell, option):
    """The decoder goes away while the box runs: each picture is still made, and the box tells why by what."""
    module = option("decoder_module", "")
    if not module:
        pytest.skip("this board's decoder cannot be taken away while it runs")
    element = option("decoder")
    # A picture is made of each key frame, and while one is made the module is in use.
    wait_for("the decoder is taken away", 30, lambda: shell.attempt(f"modprobe -r {module}")[2] == 0, pause=0.2)
    try:
        # One failure does not count yet.
        gone = wait_for("the decoder is given up", 60, lambda: image(box) and given_up(box, element), pause=1)
        assert gone["strReason"] and not gone["bInUse"], gone
        assert in_use(box)["bHardware"] is False
    finally:
        shell.run(f"modprobe {module}")


@pytest.mark.needs("hwdec")
def test_a_denied_decoder_is_left_alone(box, pictured, shell, station, option):
    """`deny` of the configuration: the element is named with that reason, and software works."""
    element = option("decoder")
    shell.run("mkdir -p /run/hw-test /run/systemd/system/h5edge.service.d")
    shell.run("cp /etc/h5edge/h5edge.toml /run/hw-test/h5edge.toml")
    shell.run("grep -q '^\\[snapshot\\]' /run/hw-test/h5edge.toml || echo '[snapshot]' >> /run/hw-test/h5edge.toml")
    shell.run(f"sed -i '/^deny/d;s/^\\[snapshot\\].*/[snapshot]\\ndeny = [\"{element}\"]/' /run/hw-test/h5edge.toml")
    shell.run(f"printf '[Service]\\nBindReadOnlyPaths=/run/hw-test/h5edge.toml:/etc/h5edge/h5edge.toml\\n' > {DROP_IN}")
    try:
        restart(box, shell, station)
        box.wait_source(TOKEN, "pictures", 60, lambda entry: entry.get("strVideoType"))
        image(box)
        denied = decoders(box)[element]
        assert denied["strState"] == "denied" and denied["strReason"], denied
        assert in_use(box)["bHardware"] is False
    finally:
        shell.run(f"rm -f {DROP_IN}")
        restart(box, shell, station)
    image(box)
    assert decoders(box)[element]["strState"] != "denied"


def restart(box, shell, station) -> None:
    shell.run("systemctl daemon-reload && systemctl restart h5edge.service", timeout=120)
    box.wait_api(station.boot_seconds)
    box.login()
