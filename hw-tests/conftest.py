"""Fixtures and hooks: the box in the state a test wants, what stands around it, and the results.

A test names what it needs of the environment with `@pytest.mark.needs("lan")`; where the environment's YAML
file does not list that feature, it is skipped and says so.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from labgrid.pytestplugin.hooks import LABGRID_ENV_KEY

from lab.camera import Camera
from lab.servers import Dhcp, FileServer, TimeServer
from results import Results
from shell import Shell

HERE = Path(__file__).parent
ROOT = HERE.parent
# What each feature is, for the reason of a skip.
FEATURES = {
    "fresh": "a box that nobody has set up yet",
    "lan": "a network of the tests' own, with DHCP and time servers",
    "power": "a switch for the power",
    "cut": "a way to cut the power",
    "console": "the box's console",
    "clock": "a clock chip that can be set",
    "hwdec": "a hardware decoder",
    "bundles": "test bundles for this board",
    "image": "the built image on this machine",
}
RESULTS = pytest.StashKey[Results]()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes of its own; `-m 'not slow'` leaves it out")
    config.addinivalue_line("markers", "needs(feature, ...): what the environment has to offer")
    if not os.environ.get("LG_RUN"):
        raise pytest.UsageError("start the suite with hw-tests/run.sh")


def pytest_collection_modifyitems(config, items):
    env = config.stash[LABGRID_ENV_KEY]
    if env is None:
        raise pytest.UsageError("no environment: start the suite with hw-tests/run.sh")
    have = env.get_features() | env.get_target_features()
    name, board = env.config.get_option("environment"), env.config.get_option("board")
    path = Path(os.environ["LG_RESULTS"]) / "results.json"
    config.stash[RESULTS] = Results(path, name, board)
    for item in items:
        for feature in (feature for marker in item.iter_markers("needs") for feature in marker.args):
            assert feature in FEATURES, f"{item.nodeid}: no feature {feature}"
            if feature not in have:
                reason = f"the environment {name} has no {feature!r}: {FEATURES[feature]}"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    results = item.config.stash.get(RESULTS, None)
    if results is not None and (report.when == "call" or report.outcome != "passed"):
        # Where from is not of interest, why is.
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if report.failed and call.excinfo:
            reason = str(call.excinfo.value).partition("\n")[0][:500]
        results.test(item.nodeid, report.outcome, report.duration, reason)
    return report


def pytest_sessionfinish(session, exitstatus):
    options, results = session.config.option, session.config.stash.get(RESULTS, None)
    if results is not None and results.data["tests"]:
        chosen = options.keyword or options.markexpr or options.file_or_dir or session.shouldstop or session.shouldfail
        results.data["whole"] = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not chosen
        results.write()


# -- the run ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def run_dir() -> Path:
    """For the files of this run; gone after the next one begins."""
    return Path(os.environ["LG_RUN"])


@pytest.fixture(scope="session")
def option(env):
    """What the environment's YAML says under `options`."""
    return env.config.get_option


@pytest.fixture(scope="session")
def figure(request):
    return request.config.stash[RESULTS].figure


@pytest.fixture(scope="session")
def fact(request):
    return request.config.stash[RESULTS].fact


@pytest.fixture(scope="session")
def features(env) -> set[str]:
    return env.get_features() | env.get_target_features()


# -- around the box --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def dhcp(run_dir, option, features):
    """The LAN's DHCP server, where the LAN is ours."""
    if "lan" not in features:
        yield None
        return
    from drivers import MAC

    server = Dhcp(run_dir, MAC, option("dhcp"), option("host"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def camera(run_dir, option):
    """A camera outside the box."""
    program = Path(os.environ.get("LG_FAKECAM") or ROOT / "target/debug/examples/fakecam")
    camera = Camera(program, option("host"), run_dir / "camera.log")
    yield camera
    camera.close()


@pytest.fixture(scope="session")
def time_server(option):
    """There for the rest of the run, once a test has pointed the box at it: updates are checked against the clock."""
    server = TimeServer(option("host"))
    yield server
    server.close()


@pytest.fixture
def file_server(option, bundles):
    server = FileServer(option("host"), bundles)
    yield server
    server.close()


@pytest.fixture(scope="session")
def bundles() -> Path:
    """The folder of the test bundles."""
    folder = Path(os.environ["LG_BUNDLES"])
    assert folder.is_dir(), f"no test bundles in {folder}: make them first"
    return folder


@pytest.fixture(scope="session")
def far(features):
    """Runs a script of `far/` on another host of the LAN, and gives the JSON that it prints."""
    # Where the LAN is not ours, this machine is another host as it is.
    prefix = ["ip", "netns", "exec", "h5far"] if "lan" in features else []

    def run(script: str, *arguments: str, timeout: float = 180):
        command = [*prefix, sys.executable, str(HERE / "far" / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"{script}: {done.stderr[-2000:]}"
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def far_address(features, option) -> str:
    return "192.168.77.50" if "lan" in features else option("host")


# -- the box ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def station(strategy, dhcp):
    """labgrid's strategy, with the network there before the box."""
    return strategy


@pytest.fixture
def booted(station):
    """The box as it answers, set up or not."""
    station.transition("booted")
    return station.box


@pytest.fixture
def box(station, features):
    """The box, set up and logged in; brought back first where an earlier test lost it."""
    if station.status in ("booted", "service") and not station.box.answers():
        recover(station, features)
    station.transition("service")
    station.box.ok("Keepalive")
    return station.box


@pytest.fixture
def shell(box, station, fact):
    """Commands on the box."""
    shell = Shell(station)
    if not getattr(station, "facts_told", False):
        tell_facts(box, shell, fact)
        station.facts_told = True
    return shell


def recover(station, features) -> None:
    """A box that is out of reach: where else it may be; if it is nowhere, it is switched off and on again."""
    station.leave()
    try:
        station.find(30)
    except AssertionError:
        if "power" not in features:
            pytest.skip("the box does not answer, and this environment cannot switch it off and on")
        station.transition("off")
        station.transition("booted")


def tell_facts(box, shell, fact) -> None:
    """Which box this was, for the table."""
    update = box.ok("GetUpdate")
    fact("version", f"{update['strVersion']} ({update['strBuild']})")
    fact("variant", update["strVariant"])
    fact("compatible", update["strCompatible"])
    fact("host", box.setup_state()["strHostname"])
    fact("kernel", shell.run("uname -r").strip())
    libraries = shell.run("ls /usr/lib/*/libgstreamer-1.0.so.0.* /usr/lib/libgstreamer-1.0.so.0.* 2>/dev/null; true")
    # libgstreamer-1.0.so.0.2602.0 is 1.26.2.
    number = int(libraries.split("so.0.")[1].split(".")[0])
    fact("gstreamer", f"1.{number // 100}.{number % 100}")
