"""The box is found by another host on its LAN."""

import pytest


@pytest.fixture
def name(box) -> str:
    return box.setup_state()["strHostname"]


def test_by_mdns(box, far, name):
    """Its web pages, with what tells boxes apart, at addresses where it answers."""
    entries = {
        entry["type"]: entry
        for entry in far("mdns.py", "40", f"{name}.local")
        if entry["host"].lower() == f"{name}.local"
    }
    assert set(entries) == {"_http._tcp.local.", "_https._tcp.local."}, entries
    for kind, port in (("_http._tcp.local.", 80), ("_https._tcp.local.", 443)):
        entry = entries[kind]
        assert entry["port"] == port and box.address in entry["addresses"], entry
        txt = {key.lower(): value for key, value in entry["txt"].items()}
        assert txt.get("version") == box.setup_state()["strVersion"], txt
        assert txt.get("model") and box.setup_state()["strDeviceId"] in txt.values(), txt


def test_by_ws_discovery(box, far, far_address, shell, station):
    """A ProbeMatch whose endpoint stays the same over a restart of the daemon."""
    first = match(box, far, far_address)
    assert "NetworkVideoTransmitter" in " ".join(first["types"])
    assert first["relates"].endswith(first["message"].removeprefix("uuid:"))
    assert any(box.address in address for address in first["addresses"]), first
    assert any(scope.startswith("onvif://www.onvif.org/") for scope in first["scopes"]), first
    shell.run("systemctl restart h5edge.service", timeout=120)
    box.wait_api(station.boot_seconds)
    assert match(box, far, far_address)["endpoint"] == first["endpoint"]


def match(box, far, far_address) -> dict:
    matches = [entry for entry in far("probe.py", "6", far_address) if entry["from"] == box.address]
    assert matches, "no ProbeMatch"
    assert len({entry["endpoint"] for entry in matches}) == 1, matches
    assert matches[0]["endpoint"].startswith("urn:uuid:")
    return matches[0]
