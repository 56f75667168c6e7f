"""Network, name and time, changed over the API: each network change undoes itself unless it is confirmed."""

import contextlib
import datetime
import re
import time

import pytest

from waiting import stays, wait_for

WRONG = {"method": "static", "address": "10.99.99.9/24", "gateway": "10.99.99.1", "dns": "10.99.99.1"}


def interface(box) -> dict:
    """The one that we reach the box by."""
    interfaces = box.ok("GetNetwork")["interfaces"]
    return next(one for one in interfaces if any(a.split("/")[0] == box.address for a in one["addresses"]))


def test_what_the_box_tells_of_its_network(box, option, features):
    state = box.ok("GetNetwork")
    one = interface(box)
    assert one["strType"] in ("ethernet", "wifi") and one["bUp"] is True
    assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", one["strMac"].lower()), one
    assert state["bTrial"] is False
    if "lan" in features:
        assert one["strMethod"] == "dhcp" and one["strGateway"] == option("gateway")
        assert option("gateway") in one["dns"], one


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"interface": "nope0"}, "interface"),
        ({"interface": "../eth0"}, "interface"),
        ({"interface": "lo"}, "interface"),
        ({"interface": ""}, "interface"),
        ({"method": "magic"}, "method"),
        ({"method": ""}, "method"),
        ({"address": "300.1.1.1/24"}, "address"),
        ({"address": "192.168.77.20"}, "address"),
        ({"address": "192.168.77.20/33"}, "address"),
        ({"address": "192.168.77.255/24"}, "address"),
        ({"address": "127.0.0.1/8"}, "address"),
        ({"address": "224.0.0.5/24"}, "address"),
        ({"address": "192.168.77.20/24\n[Match]"}, "address"),
        ({"address": ""}, "address"),
        ({"gateway": "10.0.0.1"}, "gateway"),
        ({"gateway": "gateway"}, "gateway"),
        ({"dns": "192.168.77.1,nonsense"}, "dns"),
        ({"surprise": "1"}, "surprise"),
    ],
)
def test_bad_networks_are_refused_by_name(box, change, named):
    right = {"interface": interface(box)["strName"], "method": "static", "address": "192.168.77.20/24"}
    reason = box.refused("SetNetwork", **{**right, **change})
    assert named in reason, reason
    assert box.ok("GetNetwork")["bTrial"] is False


@pytest.mark.needs("lan")
def test_a_wrong_address_undoes_itself(box, station, figure):
    """The box is out of reach, tells nobody, and is back where it was after a minute."""
    station.leave()
    answer = box.ok("SetNetwork", interface=interface(box)["strName"], **WRONG)
    asked = time.monotonic()
    assert answer["nConfirmSeconds"] == 60
    wait_for("the box is away", 20, lambda: not box.answers())
    stays("the box is away", 50 - (time.monotonic() - asked), lambda: not box.answers())
    box.wait_api(45)
    figure("wrong network undone after", time.monotonic() - asked, "s")
    state = box.ok("GetNetwork")
    assert state["bTrial"] is False and interface(box)["strMethod"] == "dhcp"


@pytest.mark.needs("lan")
def test_a_trial_can_be_taken_back(box, station, option):
    """At the new address, before the minute is over."""
    station.leave()
    move(box, option("free")[0], option)
    state = box.ok("GetNetwork")
    assert state["bTrial"] is True and 0 < state["nConfirmSeconds"] <= 60
    with contextlib.suppress(OSError):
        # The way back for the answer may be gone already.
        box.call("RevertNetwork", 5)
    box.address = option("dhcp")
    box.wait_api(30)
    assert box.ok("GetNetwork")["bTrial"] is False
    assert box.refused("ConfirmNetwork")


@pytest.mark.needs("lan", "cut")
def test_confirmed_stays_and_unconfirmed_does_not(box, shell, station, option):
    """Over a power cut in the middle of a trial: the confirmed address is there again, the tried one is not."""
    confirmed, tried = option("free")
    station.leave()
    move(box, confirmed, option)
    box.ok("ConfirmNetwork")
    assert interface(box)["strMethod"] == "static" and box.ok("GetNetwork")["bTrial"] is False
    move(box, tried, option)
    assert box.ok("GetNetwork")["bTrial"] is True
    station.cut()
    box.address = confirmed
    station.wait_restarted()
    state = box.ok("GetNetwork")
    assert state["bTrial"] is False
    one = interface(box)
    assert one["strMethod"] == "static" and f"{confirmed}/24" in one["addresses"]
    # And back, for the other tests.
    station.leave()
    box.ok("SetNetwork", interface=one["strName"], method="dhcp")
    box.address = option("dhcp")
    box.wait_api(45)
    box.ok("ConfirmNetwork")
    assert interface(box)["strMethod"] == "dhcp"
    station.enter()


def move(box, address: str, option) -> None:
    """Begins a trial of a static address and follows the box to it."""
    box.ok(
        "SetNetwork",
        interface=interface(box)["strName"],
        method="static",
        address=f"{address}/24",
        gateway=option("gateway"),
        dns=option("gateway"),
    )
    box.address = address
    box.wait_api(30)


def of_the_name(box) -> list[str]:
    """What the box's journal says about its name on the LAN."""
    log = box.download("/api/v1/GetLog?lines=2000").decode(errors="replace").splitlines()
    return [line for line in log if "systemd-resolved" in line or "published" in line or "own name" in line][-40:]


def test_the_name_is_announced(box, far):
    """A new one within seconds, and the default again for none.

    Looked at by a new client each time: systemd-resolved may hear itself and publish another name for some seconds,
    until the box has it told again, and a client that heard that keeps it for its time to live.
    """
    default = box.ok("GetHostname")
    try:
        box.ok("SetHostname", name="garden-gate")
        for _ in range(4):
            found = far("mdns.py", "10", "garden-gate.local")
            types = {entry["type"] for entry in found if entry["host"].lower() == "garden-gate.local"}
            if types == {"_http._tcp.local.", "_https._tcp.local."}:
                break
        else:
            raise AssertionError(f"{found}; {of_the_name(box)}")
    finally:
        box.ok("SetHostname", name="")
    assert box.setup_state()["strHostname"] == default["strHostname"]
    assert re.fullmatch(r"h5edge-[0-9a-f]{6}", default["strHostname"])


@pytest.mark.parametrize("name", ["two words", "-dash", "dash-", "a" * 64, "ä", "a.b;reboot", "a\nb"])
def test_bad_names_are_refused(box, name):
    before = box.ok("GetHostname")
    assert "name" in box.refused("SetHostname", name=name)
    assert box.ok("GetHostname") == before


def test_time_zones(box, shell):
    """The whole box follows, and nothing but a zone is taken."""
    before = box.ok("GetTime")["strZone"]
    box.ok("SetTime", zone="Asia/Kolkata")
    assert box.ok("GetTime")["strZone"] == "Asia/Kolkata"
    assert box.ok("GetTime")["strTime"].endswith(("+05:30", "+0530"))
    assert shell.run("date +%z").strip() == "+0530"
    for bad in ("Nowhere/Town", "../../../etc/passwd", "/etc/localtime", "Europe", "Europe/Berlin\nX"):
        assert "zone" in box.refused("SetTime", zone=bad)
    assert box.ok("GetTime")["strZone"] == "Asia/Kolkata"
    box.ok("SetTime", zone=before or "UTC")


def box_time(box) -> float:
    return datetime.datetime.fromisoformat(box.ok("GetTime")["strTime"]).timestamp()


@pytest.mark.needs("lan")
def test_time_by_hand_then_from_a_server(box, time_server, option):
    """By hand while no server answers; then a server of ours puts it right, within a second or two."""
    time_server.silent = True
    box.ok("SetTime", time="2031-05-06T07:08:09Z")
    wanted = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.UTC).timestamp()
    assert 0 <= box_time(box) - wanted < 30
    for bad in ("yesterday", "2031-13-01T00:00:00Z", "1969-01-01T00:00:00Z"):
        assert "time" in box.refused("SetTime", time=bad)
    assert "ntp" in box.refused("SetTime", ntp="not a host!")
    assert box.refused("SetTime")
    time_server.silent = False
    box.ok("SetTime", ntp=option("host"))
    wait_for("the clock is synchronised", 90, lambda: box.ok("GetTime")["bSynchronised"])
    assert time_server.asked > 0
    assert abs(box_time(box) - time.time()) < 2
    assert option("host") in box.ok("GetTime")["ntp"]
    # A clock that a server keeps right is not for setting.
    assert "time" in box.refused("SetTime", time="2031-05-06T07:08:09Z")


@pytest.mark.needs("clock", "power", "lan")
def test_a_clock_chip_that_lost_its_time(box, shell, station, time_server):
    """Starts at 1970 without a time server: the box goes on from the time it knew, never before its build."""
    built = int(shell.run("stat -c %Y /usr/lib/os-release"))
    assert built > 1_700_000_000, "the image has no date"
    station.leave()
    box.ok("PowerOff")
    station.power.wait_off(90)
    station.transition("off")
    station.power.clock = "1970-01-01T00:00:00"
    time_server.silent = True
    try:
        station.transition("service")
        assert built <= box_time(box) <= time.time() + 2
    finally:
        station.power.clock = "utc"
        time_server.silent = False
    wait_for("the clock is right again", 120, lambda: abs(box_time(box) - time.time()) < 2)
