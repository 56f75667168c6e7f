"""A camera outside the box, a viewer outside the box."""

import time

import pytest
import requests
import websocket

from lab.camera import HEIGHT, WIDTH, stamps

TOKEN = "live"


@pytest.fixture(scope="module")
def watched(station, camera):
    """The box with a source; gone afterwards."""
    station.transition("service")
    box = station.box
    box.add_camera(TOKEN, camera.url)
    yield box
    box.ok("DelSrc", token=TOKEN)


def test_calls_of_a_page(box, watched):
    """What every page asks for first."""
    assert box.ok("GetSystemInfo")["strVersion"] == box.setup_state()["strVersion"]
    run = box.ok("GetRunInfo")
    assert 0 <= run["nCPUUsage"] <= 100 and 0 < run["nMemoryUsage"] < 100, run
    assert run["nTotalMemoryByte"] > 100_000_000 and 0 < run["nFreeSpaceByte"] < run["nTotalSpaceByte"], run
    entry = box.source(TOKEN)
    assert entry["nType"] == "H5_STREAM" and entry["strName"] == TOKEN
    storage = box.ok("GetStorageInfo")["volume"]
    assert storage[0]["strState"] == "online", storage
    assert box.refused("DelSrc", token="nobody")
    for page in ("/", "/ws.html", "/js/h5splayer.js"):
        answer = requests.get(f"http://{box.address}{page}", timeout=30)
        assert answer.status_code == 200 and answer.text.strip(), page


def test_bytes_of_a_viewer(box, watched, figure):
    """The socket gives the type, the head and fragments; each picture is as old as its way through the box."""
    box.ok("Keepalive")
    url = f"ws://{box.address}/api/v1/h5swsapi?token={TOKEN}&session={box.session}"
    opened = time.monotonic()
    socket = websocket.create_connection(url, timeout=60)
    try:
        kind = socket.recv()
        assert kind.startswith(b"video/mp4") and b"avc1" in kind, kind
        head = socket.recv()
        assert head[4:8] == b"ftyp" and b"moov" in head
        fragment = socket.recv()
        first = time.monotonic() - opened
        assert b"moof" in fragment and b"mdat" in fragment
        delays, pictures, deadline = [], 0, time.monotonic() + 60
        while pictures < 100 and time.monotonic() < deadline:
            times = stamps(socket.recv())
            delays += [time.time() - at for at in times]
            pictures += len(times)
    finally:
        socket.close()
    assert pictures >= 100, f"{pictures} pictures in a minute"
    # The first ones are of the past: a viewer begins with the last key frame.
    late = sorted(delays[25:])
    figure("first bytes of a cold source", first, "s")
    figure("delay camera to viewer, median", late[len(late) // 2] * 1000, "ms")
    assert late[len(late) // 2] < 2.0, late[-10:]


def test_a_browser_on_another_host(box, watched, far, figure):
    """Chromium plays it, in its own size, and goes on doing so."""
    box.ok("Keepalive")
    shown = far("watch.py", "10", f"http://{box.address}/ws.html?token={TOKEN}&session={box.session}")
    assert (shown["width"], shown["height"]) == (WIDTH, HEIGHT), shown
    assert shown["moved"] > shown["elapsed"] * 0.7 - 1, shown
    assert shown["bytes"] > 100_000, shown
    assert any(url.endswith("/h5swsapi") for url in shown["sockets"]), shown
    assert not shown["errors"], shown
    figure("first picture in a browser", shown["first"], "s")


def test_the_camera_is_pulled_once(box, watched, camera):
    """Two viewers, one connection to the camera."""
    box.ok("Keepalive")
    url = f"ws://{box.address}/api/v1/h5swsapi?token={TOKEN}&session={box.session}"
    sockets = [websocket.create_connection(url, timeout=60) for _ in range(2)]
    try:
        for socket in sockets:
            assert socket.recv().startswith(b"video/mp4") and socket.recv()[4:8] == b"ftyp"
        assert camera.stats()["sessions"] == 1
    finally:
        for socket in sockets:
            socket.close()
