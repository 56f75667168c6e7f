"""What the admin page has for a box only, driven by Chromium: network, time, SSH, logs, restart, update.

The API behind it has tests of its own; here it is seen that the page asks the right thing of a real box and tells what
comes of it. The box is left as it was: by DHCP, with the suite's SSH key, running slot A.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from far.browser import opened
from test_30_network import interface
from test_70_update import INSTALL, wait_good
from waiting import wait_for

# What an emulated machine may take to show something.
PATIENCE = 45_000
# From the press of a button until a trial is over by itself.
TRIAL = 75_000


class Admin:
    """The page in one browser tab, logged in where the box is at present."""

    def __init__(self, page: Page, box):
        self.page, self.box = page, box

    def part(self, name: str) -> Locator:
        """A part of System, loaded; logs in where that is asked for."""
        self.open(f"#/system/{name}")
        part = self.page.locator(f".part.{name}")
        part.locator("h1").wait_for()
        expect(part.locator('progress[aria-label^="Loading"]')).to_have_count(0)
        return part

    def open(self, route: str) -> None:
        self.page.goto(f"http://{self.box.address}/{route}")
        self.enter()

    def enter(self) -> None:
        """Past the log-in, if there is one."""
        password = self.page.locator(".login [name=password]")
        password.or_(self.page.locator("#content")).first.wait_for()
        if password.is_visible():
            password.fill(self.box.password)
            password.press("Enter")
            self.page.locator("#content").wait_for()

    def section(self, title: str) -> Locator:
        return self.page.locator(".section", has=self.page.get_by_role("heading", name=title, exact=True, level=2))

    def press(self, name: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).first.click()

    def agree(self, name: str) -> None:
        """To the question of that name."""
        dialog = self.page.get_by_role("dialog", name=name)
        self.press(name, dialog)
        dialog.wait_for(state="detached")

    def told(self, text: str, timeout: float = PATIENCE) -> None:
        self.page.locator(".toast", has_text=text).first.wait_for(timeout=timeout)


@pytest.fixture(scope="module")
def browser():
    with opened(locale="en-GB") as page:
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page


@pytest.fixture
def admin(browser, box):
    errors: list[str] = []
    note = lambda error: errors.append(str(error))  # noqa: E731 (the same one is taken off again)
    browser.on("pageerror", note)
    yield Admin(browser, box)
    browser.remove_listener("pageerror", note)
    assert not errors


def test_logs(admin):
    """The journal of the box is there, can be searched, and is saved as a file."""
    part = admin.part("logs")
    journal = part.locator("pre.journal")
    expect(journal).to_contain_text("h5edge")
    part.locator("[name=search]").fill("nothing says this")
    expect(part.get_by_role("status")).to_have_text("0 lines")
    part.locator("[name=search]").fill("systemd")
    expect(journal).to_contain_text("systemd")
    with admin.page.expect_download() as saving:
        admin.press("Download", part)
    assert b"systemd" in Path(saving.value.path()).read_bytes()


def test_time(admin, box, time_server, option):
    """Another zone, a server of ours, and back; what the page shows is what the box has."""
    part = admin.part("time")
    before = box.ok("GetTime")["strZone"] or "UTC"
    try:
        zone = admin.section("Time zone")
        zone.locator("input").fill("Asia/Kolkata")
        admin.press("Save", zone)
        expect(part).to_contain_text("+05:30")
        assert box.ok("GetTime")["strZone"] == "Asia/Kolkata"
        zone.locator("input").fill("Nowhere/Town")
        admin.press("Save", zone)
        expect(zone.locator(".note.bad")).to_contain_text("zone")
        servers = admin.section("Time servers (NTP)")
        servers.locator("input").fill("not a host!")
        admin.press("Save", servers)
        expect(servers.locator(".note.bad")).to_contain_text("ntp")
        servers.locator("input").fill(option("host"))
        admin.press("Save", servers)
        wait_for("the clock is synchronised", 90, lambda: box.ok("GetTime")["bSynchronised"])
        admin.press("Reload", part)
        expect(admin.section("Clock")).to_contain_text("Synchronised")
        assert option("host") in box.ok("GetTime")["ntp"]
        # A clock that a server keeps is not for setting.
        expect(part.get_by_role("button", name="Set from this browser")).to_be_disabled()
    finally:
        box.ok("SetTime", zone=before)


def test_ssh(admin, box, station):
    """Off, refused with what is no key, and on again with the suite's own."""
    admin.part("network")
    section = admin.section("SSH")
    station.leave()
    admin.press("Turn SSH off", section)
    admin.agree("Turn SSH off")
    wait_for("port 22 is closed", 60, lambda: not box.port_open(22))
    assert box.ok("GetSsh")["bEnabled"] is False
    section.locator("textarea").fill("ssh-rsa this-is-no-key")
    admin.press("Turn SSH on", section)
    expect(section.locator(".note.bad")).to_contain_text("key")
    section.locator("textarea").fill(Path(f"{station.key}.pub").read_text())
    admin.press("Turn SSH on", section)
    expect(section.get_by_role("cell", name="hw-tests")).to_be_visible()
    wait_for("port 22 opens", 60, lambda: box.port_open(22))
    told = box.ok("GetSsh")["keys"][0]["strFingerprint"]
    expect(section.locator("table")).to_contain_text(told)
    station.enter()


def try_static(admin: Admin, address: str, option) -> None:
    """Puts the interface that we come by to a fixed address, on trial."""
    section = admin.section(f"Ethernet {interface(admin.box)['strName']}")
    admin.press("Change", section)
    section.get_by_text("Fixed", exact=True).click(force=True)
    for name, value in (("address", f"{address}/24"), ("gateway", option("gateway")), ("dns", option("gateway"))):
        section.locator(f"[name={name}]").fill(value)
    admin.press("Try this setting", section)


@pytest.mark.needs("lan")
def test_an_address_that_nobody_keeps(admin, box, station, option):
    """The page counts, tells that the box does not answer, and is back with it when the time is over."""
    admin.part("network")
    refused = admin.section(f"Ethernet {interface(box)['strName']}")
    admin.press("Change", refused)
    refused.get_by_text("Fixed", exact=True).click(force=True)
    refused.locator("[name=address]").fill("192.168.77.255/24")
    admin.press("Try this setting", refused)
    expect(refused.locator(".note.bad")).to_contain_text("address")
    admin.press("Cancel", refused)
    station.leave()
    try_static(admin, option("free")[1], option)
    trial = admin.page.locator(".trial")
    expect(trial).to_contain_text("seconds left")
    expect(trial.locator("a")).to_have_attribute("href", re.compile(re.escape(option("free")[1])))
    expect(admin.page.get_by_text("The server does not answer")).to_be_visible()
    admin.told("The time is over", TRIAL)
    expect(trial).to_have_count(0)
    box.wait_api(45)
    expect(admin.page.get_by_text("The server does not answer")).to_have_count(0)
    assert box.ok("GetNetwork")["bTrial"] is False and interface(box)["strMethod"] == "dhcp"


@pytest.mark.needs("lan")
def test_an_address_that_is_kept(admin, box, station, option):
    """At the new address, by the link that the page gives; and back to DHCP in the same way."""
    admin.part("network")
    station.leave()
    fixed = option("free")[0]
    try_static(admin, fixed, option)
    link = admin.page.locator(".trial a")
    link.wait_for()
    address = link.get_attribute("href")
    box.address = fixed
    box.wait_api(45)
    admin.page.goto(address)
    admin.enter()
    keep(admin)
    assert interface(box)["strMethod"] == "static"
    section = admin.section(f"Ethernet {interface(box)['strName']}")
    expect(section).to_contain_text(f"{fixed}/24")
    admin.press("Change", section)
    section.get_by_text("By DHCP", exact=True).click(force=True)
    admin.press("Try this setting", section)
    admin.page.locator(".trial").wait_for()
    box.address = option("dhcp")
    box.wait_api(45)
    admin.part("network")
    keep(admin)
    assert interface(box)["strMethod"] == "dhcp"


def keep(admin: Admin) -> None:
    """What is on trial."""
    admin.press("Keep", admin.page.locator(".trial"))
    admin.told("The network setting is kept.")
    assert admin.box.ok("GetNetwork")["bTrial"] is False


def test_restart(admin, station, box):
    """The page asks, says so, notices that the box is gone, and is there again with it."""
    admin.part("update")
    admin.press("Restart", admin.section("Restart and reset"))
    admin.agree("Restart")
    admin.told("The device restarts.")
    station.leave()
    admin.page.get_by_text("The server does not answer").wait_for()
    box.wait_api(station.boot_seconds)
    # Not reloaded: the page itself finds the box again, and sessions do not outlast a restart.
    admin.page.locator(".login [name=password]").wait_for(timeout=60_000)
    admin.enter()
    assert "/system/update" in admin.page.url
    expect(admin.section("What runs")).to_contain_text("Runs")


def send(admin: Admin, path: Path) -> None:
    """Chooses a file and has it uploaded."""
    section = admin.section("Update")
    section.locator("[name=bundle]").set_input_files(path)
    admin.press("Upload and check", section)


@pytest.mark.needs("bundles")
def test_a_bad_update_is_refused(admin, box, bundles, run_dir):
    """With the reason, at what is no bundle and at one that somebody else signed."""
    before = box.ok("GetUpdate")
    admin.part("update")
    bad = admin.section("Update").locator(".note.bad").first
    garbage = run_dir / "page-garbage.raucb"
    garbage.write_bytes(b"no bundle " * 100_000)
    send(admin, garbage)
    bad.wait_for()
    assert re.search(r"bundle|signature|format", bad.inner_text(), re.I), bad.inner_text()
    send(admin, bundles / "wrong-key.raucb")
    expect(bad).to_contain_text("not signed with a key of this box", timeout=INSTALL * 1000)
    after = box.ok("GetUpdate")
    assert after["slots"] == before["slots"] and not after["bRebootNeeded"]
    assert admin.section("Update").get_by_role("button", name="Install", exact=True).count() == 0


@pytest.mark.slow
@pytest.mark.needs("bundles")
def test_a_good_update_and_the_way_back(admin, box, bundles, station):
    """Uploaded and installed with progress, started, and rolled back."""
    wait_good(box, "A")
    admin.part("update")
    section = admin.section("Update")
    send(admin, bundles / "good.raucb")
    section.locator("progress").first.wait_for()
    install = section.get_by_role("button", name="Install", exact=True)
    install.wait_for(timeout=INSTALL * 1000)
    install.click()
    seen: set[float] = set()

    def over() -> bool:
        seen.update(section.locator("progress[value]").evaluate_all("list => list.map((one) => one.value)"))
        return section.get_by_text("The update is installed.").is_visible()

    wait_for("the page says that it is installed", INSTALL, over, pause=0.2)
    assert len(seen) >= 2, f"progress as shown: {sorted(seen)}"
    expect(admin.section("What runs")).to_contain_text("The update waits: B is started")
    restart(admin, station)
    wait_good(box, "B")
    admin.part("update")
    assert runs(admin) == "B"
    admin.press("Roll back", admin.section("What runs"))
    admin.agree("Roll back")
    expect(admin.section("What runs")).to_contain_text("The update waits: A is started")
    restart(admin, station)
    wait_good(box, "A")
    admin.part("update")
    assert runs(admin) == "A"


def restart(admin: Admin, station) -> None:
    """By the button beside what waits for it."""
    admin.press("Restart", admin.section("What runs"))
    admin.agree("Restart")
    station.wait_restarted()


def runs(admin: Admin) -> str:
    """The slot that the page says runs."""
    row = admin.section("What runs").locator("tr", has=admin.page.get_by_text("Runs", exact=True))
    return row.get_by_role("cell").first.inner_text().strip()
