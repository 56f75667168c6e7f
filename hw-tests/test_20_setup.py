"""A fresh box has no password: what it does until somebody on its LAN gives it one, and SSH by key only."""

import re
import socket
import ssl
import subprocess

import pytest
import requests

from waiting import wait_for

pytestmark = pytest.mark.needs("fresh")

# Calls of every kind, with parameters that would be right.
CLOSED = {
    "GetSrc": {},
    "GetSystemInfo": {},
    "GetRunInfo": {},
    "GetNetwork": {},
    "GetLog": {"lines": "10"},
    "AddSrcRTSP": {"name": "x", "token": "x", "url": "rtsp://192.168.77.1/x"},
    "SetSsh": {"keys": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmyXFtCXLSGrZ0lkgvxMTBiAKy4cNqhmZmDUiBb1t4Z x"},
    "SetNetwork": {"interface": "eth0", "method": "dhcp"},
    "UpdateUser": {"user": "admin", "oldpassword": "12345", "newpassword": "another-one"},
    "InstallUpdate": {},
    "RollBack": {},
    "Reboot": {},
    "PowerOff": {},
    "FactoryReset": {"password": "12345"},
}


@pytest.fixture
def unclaimed(booted):
    """The box, not yet set up."""
    if not booted.setup_state()["bSetupRequired"]:
        pytest.skip("the box is set up already: reset it to factory state first")
    return booted


def test_what_an_unclaimed_box_tells(unclaimed):
    state = unclaimed.setup_state()
    assert 0 < state["nSecondsLeft"] <= 3600
    assert re.fullmatch(r"h5edge-[0-9a-f]{6}", state["strHostname"]), state
    device = state["strDeviceId"].replace("-", "").lower()
    assert re.fullmatch(r"[0-9a-f]{32,64}", device), state
    assert device.endswith(state["strHostname"][-6:]), "the name ends with the device id's last six"


@pytest.mark.parametrize("password", ["12345", "827ccb0eea8a706c4c34a16891f84e7b", "", "admin"])
def test_no_password_logs_in(unclaimed, password):
    """The delivered password of the manual as text and as MD5, and others: the manual's failure, with the reason."""
    answer = unclaimed.raw("Login", {"user": "admin", "password": password}).json()
    assert answer["bStatus"] is False and answer["strCode"], answer
    assert "strSession" not in answer
    if password:
        assert answer["bSetupRequired"] is True, answer


@pytest.mark.parametrize("name", CLOSED)
def test_other_calls_are_closed(unclaimed, name):
    answer = unclaimed.raw(name, CLOSED[name])
    assert answer.status_code == 401 and answer.json()["bStatus"] is False, answer.text[:300]
    assert unclaimed.setup_state()["bSetupRequired"] is True


def test_pages_lead_to_the_set_up(unclaimed):
    """The page itself is open, or nobody could set up the box."""
    page = requests.get(f"http://{unclaimed.address}/", timeout=30)
    assert page.status_code == 200 and "<html" in page.text.lower()


@pytest.mark.needs("lan")
def test_set_up_from_behind_the_router_is_refused(unclaimed, station, option):
    answer = unclaimed.raw("Setup", {"password": station.password}, source=option("beyond")).json()
    assert answer["bStatus"] is False and answer["strCode"], answer
    assert unclaimed.setup_state()["bSetupRequired"] is True


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_set_up_from_another_sites_page_is_refused(unclaimed, station, headers):
    """A browser on the LAN that was lured to a page, also where that page's name was bent to the box's address."""
    answer = unclaimed.raw("Setup", {"password": station.password}, headers=headers).json()
    assert answer["bStatus"] is False and answer["strCode"], answer
    assert unclaimed.setup_state()["bSetupRequired"] is True


def test_set_up_by_get_is_refused(unclaimed):
    """As the address of a picture in such a page would make it. No password belongs into an address anyway."""
    answer = requests.get(f"http://{unclaimed.address}/api/v1/Setup?password=from-a-picture-1", timeout=30).json()
    assert answer["bStatus"] is False and answer["strCode"], answer
    assert unclaimed.setup_state()["bSetupRequired"] is True


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"password": "short"}, "password"),
        ({"password": ""}, "password"),
        ({"name": "not a name!"}, "name"),
        ({"name": "-x"}, "name"),
        ({"zone": "Nowhere/Town"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
    ],
)
def test_bad_set_ups_are_refused_by_name(unclaimed, change, named):
    answer = unclaimed.raw("Setup", {"password": "long-enough-1", **change}).json()
    assert answer["bStatus"] is False and named in answer["strCode"], answer
    assert unclaimed.setup_state()["bSetupRequired"] is True


def test_set_up_once(unclaimed, station):
    answer = unclaimed.raw("Setup", {"password": station.password}).json()
    assert answer["bStatus"] is True, answer
    assert unclaimed.setup_state()["bSetupRequired"] is False
    unclaimed.password = station.password
    again = unclaimed.raw("Setup", {"password": "somebody-else-1"}).json()
    assert again["bStatus"] is False and again["strCode"], again


def test_first_log_in(claimed):
    """With the password as MD5, as pages send it, and as text, and with no other."""
    claimed.login(md5=False)
    claimed.login()
    assert isinstance(claimed.ok("GetSrc").get("src"), list)
    wrong = claimed.raw("Login", {"user": "admin", "password": "12345"}).json()
    assert wrong["bStatus"] is False and not wrong.get("bSetupRequired"), wrong
    assert claimed.login()["bDefaultPassword"] is False


def test_https_with_a_certificate_of_its_own(claimed):
    """Not one that came with the image: what it is issued for is this box."""
    answer = claimed.raw("Login", {"user": "admin", "password": claimed.password}, scheme="https").json()
    assert answer["bStatus"] is True, answer.get("strCode")
    pem = ssl.get_server_certificate((claimed.address, 443), timeout=30)
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-ext", "subjectAltName"],
        input=pem,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert claimed.setup_state()["strHostname"] in told or claimed.address in told, told


def test_ssh_is_off_until_a_key_is_given(claimed, station):
    state = claimed.ok("GetSsh")
    assert state["bEnabled"] is False and state["keys"] == []
    with pytest.raises(OSError):
        socket.create_connection((claimed.address, 22), 5)
    refused = claimed.refused("SetSsh", keys="ssh-rsa this-is-no-key")
    assert "keys" in refused or "key" in refused
    assert claimed.ok("GetSsh")["bEnabled"] is False
    station.switch_ssh_on()
    state = claimed.ok("GetSsh")
    assert state["bEnabled"] is True
    (key,) = state["keys"]
    told = subprocess.run(
        ["ssh-keygen", "-lf", f"{station.key}.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert key["strFingerprint"] in told and key["strComment"] == "hw-tests" and key["strType"] == "ssh-ed25519"


def test_ssh_takes_no_password(claimed, run_dir):
    """The server offers nothing but keys, and not just any key."""
    wait_for("port 22 opens", 60, lambda: claimed.port_open(22))
    base = [
        "ssh",
        "-F",
        "none",
        "-v",
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "ConnectTimeout=30",
        "-o",
        "IdentitiesOnly=yes",
    ]
    other = run_dir / "other-key"
    if not other.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    done = subprocess.run(
        [*base, "-i", other, f"root@{claimed.address}", "true"], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 255 and "Permission denied" in done.stderr, done.stderr[-1000:]
    offered = re.findall(r"Authentications that can continue: (\S+)", done.stderr)
    assert offered and set(offered) == {"publickey"}, offered


def test_ssh_with_the_key(shell, box):
    """In, at the right box, by the host key that the API told."""
    assert shell.run("cat /proc/sys/kernel/hostname").strip() == box.setup_state()["strHostname"]
    scan = subprocess.run(["ssh-keyscan", "-t", "ed25519", box.address], capture_output=True, text=True, timeout=60)
    told = subprocess.run(["ssh-keygen", "-lf", "-"], input=scan.stdout, capture_output=True, text=True, check=True)
    assert box.ok("GetSsh")["strHostFingerprint"] in told.stdout


def test_the_certificate_is_the_one_on_data(shell, box):
    """And its key is nobody's to read but the daemon's."""
    served = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((box.address, 443), timeout=30))
    files = shell.run("grep -l BEGIN.CERTIFICATE -r /data/h5edge/tls").split()
    kept = [ssl.PEM_cert_to_DER_cert(_first(shell.run(f"cat {path}"))) for path in files]
    assert served in kept
    modes = shell.run("find /data/h5edge/tls -type f -name '*key*' -printf '%m %u '").split()
    assert modes and all(mode == "600" for mode in modes[::2]) and set(modes[1::2]) == {"h5edge"}, modes


def _first(pem: str) -> str:
    return pem[: pem.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"


@pytest.fixture
def claimed(booted, station):
    """The box after the set-up; without SSH, perhaps."""
    if booted.setup_state()["bSetupRequired"]:
        pytest.skip("the box is not set up: the test before has to pass")
    booted.password = station.password
    booted.login()
    return booted
