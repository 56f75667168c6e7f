"""The power goes while a camera is recorded, again and again, at random moments.

H5_CUTS says how often (20), H5_CUT_SEED repeats the moments of a run. Each fifth time it goes once more while the
box starts. How much is lost is read from the pictures themselves: the camera writes this machine's clock into each.

QEMU's reset loses what was in the box's memory. It does not lose what a disk had in a cache of its own: that is for a
real board and a real switch.
"""

import itertools
import os
import random
import sqlite3
import subprocess
import time

import pytest

from lab.camera import stamps
from waiting import wait_for

pytestmark = pytest.mark.needs("cut")

CUTS = int(os.environ.get("H5_CUTS", "20"))
SEED = int(os.environ.get("H5_CUT_SEED", time.time_ns() % 1_000_000))
TOKEN = "cut"
# A fragment of 2 s that was not yet synced, and what was under way (docs/recording.md).
LOSS = 2.5
# Between two pictures, in a recording that has none missing; 25 a second are sent.
HOLE = 1.0


class Plant:
    """What is recorded, and what has been seen of it."""

    def __init__(self, box, run_dir):
        self.box = box
        self.random = random.Random(SEED)
        self.file = run_dir / "recording.mp4"
        self.known: set[str] = set()
        self.checked: set[str] = set()
        self.losses: list[float] = []

    def recordings(self) -> list[dict]:
        """Those that are complete; none that was ever seen may be missing."""
        entries = self.box.recordings(TOKEN)
        paths = {entry["strPath"] for entry in entries}
        assert self.known <= paths, f"lost: {self.known - paths}"
        self.known = paths
        return [entry for entry in entries if entry["strDuration"] != "0"]

    def check(self, entry: dict) -> float:
        """That a complete recording plays and has no hole; the time of its last picture."""
        data = self.box.download(entry["strPath"])
        self.file.write_bytes(data)
        command = [
            "ffprobe",
            "-v",
            "error",
            "-count_packets",
            "-select_streams",
            "v",
            "-of",
            "csv=p=0",
            "-show_entries",
            "stream=nb_read_packets",
            str(self.file),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and not done.stderr.strip(), f"{entry['strPath']}: {done.stderr[:500]}"
        packets = int(done.stdout.strip().split(",")[0])
        times = stamps(data)
        assert packets > 0 and len(times) == packets, f"{packets} pictures, {len(times)} of the camera's"
        holes = [later - one for one, later in itertools.pairwise(times) if not 0 < later - one < HOLE]
        assert not holes, f"{entry['strPath']}: {holes}"
        self.checked.add(entry["strPath"])
        return times[-1]


@pytest.fixture(scope="module")
def plant(station, camera, run_dir, fact):
    station.transition("service")
    box = station.box
    fact("seed of the power cuts", str(SEED))
    box.add_camera(TOKEN, camera.url, connect="H5_ALWAYS")
    box.ok("SetRecordSchedule", token=TOKEN, week="always")
    plant = Plant(box, run_dir)
    yield plant
    box.ok("DelSrc", token=TOKEN)


@pytest.mark.parametrize("number", range(1, CUTS + 1))
def test_the_power_goes(box, shell, station, plant, number):
    """The box comes back by itself, with all that was recorded until at most 2.5 s before."""
    box.recording(TOKEN, 120)
    # Counted starts are for a system that does not work: this one has to be found good first.
    booted = box.ok("GetUpdate")["strBooted"]
    wait_for("this start was found good", 180, lambda: shell.boot_variable(f"BOOT_{booted}_LEFT") in ("3", ""))
    for entry in plant.recordings():
        if entry["strPath"] not in plant.checked:
            plant.check(entry)
    # The moment is the test's own choice; nothing is waited for.
    time.sleep(plant.random.uniform(2, 8))
    written = {entry["strPath"] for entry in box.recordings(TOKEN) if entry["strDuration"] == "0"}
    assert written, "nothing is being recorded"
    plant.known |= written
    cut = station.cut()
    if number % 5 == 0:
        time.sleep(plant.random.uniform(3, 30))
        station.cut()
    station.wait_restarted()
    volume = wait_for("rows and files agree", 60, lambda: _reconciled(box))
    assert volume["nSetAside"] == 0 and volume["strState"] == "online", volume
    complete = {entry["strPath"]: entry for entry in plant.recordings()}
    assert written <= complete.keys(), f"not completed: {written - complete.keys()}"
    loss = cut - max(plant.check(complete[path]) for path in written)
    plant.losses.append(loss)
    assert loss <= LOSS, f"{loss:.2f} s are lost"
    assert box.ok("GetUpdate")["strBooted"] == booted


def _reconciled(box) -> dict | None:
    volume = box.ok("GetStorageInfo")["volume"][0]
    return volume if volume["bReconciled"] else None


def test_after_all_cuts(box, shell, station, plant, run_dir, figure):
    """Every slot can be started, the file system found no error, and the database is whole."""
    if not plant.losses:
        pytest.skip("the power was never cut")
    losses = sorted(plant.losses)
    figure("power cuts survived", len(losses), f"of {CUTS}")
    figure("lost in a power cut, median", losses[len(losses) // 2], "s")
    figure("lost in a power cut, most", losses[-1], "s", LOSS)
    booted = box.ok("GetUpdate")["strBooted"]
    wait_for("this start is found good", 180, lambda: shell.boot_variable(f"BOOT_{booted}_LEFT") in ("3", ""))
    dead = [name for name in "AB" if shell.boot_variable(f"BOOT_{name}_LEFT") == "0"]
    assert not dead, f"slot {dead} cannot be started any more"
    log = shell.run("journalctl -k -b -o cat --no-pager | grep -iE 'EXT4-fs error|I/O error'; true")
    assert not log.strip(), log
    shell.run("systemctl stop h5edge.service", timeout=60)
    try:
        for name in ("h5edge.db", "h5edge.db-wal"):
            if shell.attempt(f"test -s /data/h5edge/{name}")[2] == 0:
                (run_dir / name).write_bytes(shell.read(f"/data/h5edge/{name}"))
        database = sqlite3.connect(run_dir / "h5edge.db")
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert not database.execute("PRAGMA foreign_key_check").fetchall()
        database.close()
    finally:
        shell.run("systemctl start h5edge.service", timeout=60)
        box.wait_api(station.boot_seconds)
