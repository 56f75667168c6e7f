"""From a box that is off to one that is set up and lets the suite in.

off      no power (environments without a power switch cannot get here)
booted   the API answers; whether the box is set up is left as it is
service  set up with the password of this run, SSH switched on over the API with the key of this run
"""

import subprocess
import time
from pathlib import Path

import attr
from labgrid.driver import SSHDriver
from labgrid.factory import target_factory
from labgrid.protocol import PowerProtocol, ResetProtocol
from labgrid.step import step
from labgrid.strategy import Strategy

from box import Box
from waiting import wait_for


@target_factory.reg_driver
@attr.s(eq=False)
class BoxStrategy(Strategy):
    """
    Args:
        key: private SSH key of the run; the public one lies beside it
        password: of the administrator, for a box that is set up already and to set up one that is not
        boot_seconds: from power-on, or from a restart, to the API, at most
        elsewhere: other addresses that a test may have left the box at
    """

    bindings = {  # noqa: RUF012 (labgrid's own form)
        "power": {PowerProtocol, None},
        "resetter": {ResetProtocol, None},
        "ssh": SSHDriver,
    }

    key = attr.ib(validator=attr.validators.instance_of(str))
    password = attr.ib(validator=attr.validators.instance_of(str))
    boot_seconds = attr.ib(default=120, validator=attr.validators.instance_of(int))
    elsewhere = attr.ib(factory=list, validator=attr.validators.instance_of(list))

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.status = "unknown"
        self.box = None
        # When power came, or the last restart was asked for (time.time()).
        self.started = 0.0
        # From there to the first answer, in seconds.
        self.took = 0.0

    @step(args=["status"])
    def transition(self, status: str) -> None:
        order = ["off", "booted", "service"]
        assert status in order, f"no such state: {status}"
        self.box = self.box or Box(self.ssh.networkservice.address)
        if status == "off":
            self._off()
            return
        if self.status in ("unknown", "off"):
            self._boot()
        if status == "service" and self.status == "booted":
            self._serve()

    # -- steps -------------------------------------------------------------------------------------------

    def _off(self) -> None:
        assert self.power, "this environment cannot switch the power off"
        self.leave()
        self.target.activate(self.power)
        self.power.off()
        self.status = "off"

    def _boot(self) -> None:
        self.started = time.time()
        if self.power:
            self.target.activate(self.power)
            self.power.on()
        if self.status == "unknown":
            # One place only, so that the time is right.
            self.box.wait_api(self.boot_seconds)
        else:
            self.find(self.boot_seconds)
        self.took = time.time() - self.started
        self.status = "booted"

    def find(self, seconds: float) -> None:
        """Until the box answers, wherever it is; a session it had is gone."""
        places = dict.fromkeys([self.ssh.networkservice.address, self.box.address, *self.elsewhere])

        def look():
            for self.box.address in places:
                if self.box.answers():
                    return self.box.address
            return None

        self.box.session = ""
        wait_for(f"the API answers at one of {', '.join(places)}", seconds, look, pause=0.1)

    def _serve(self) -> None:
        if self.box.setup_state()["bSetupRequired"]:
            answer = self.box.raw("Setup", {"password": self.password}).json()
            assert answer.get("bStatus") is True, f"Setup: {answer}"
        self.box.password = self.password
        self.switch_ssh_on()
        self.enter()

    def switch_ssh_on(self) -> None:
        """With the key of this run, which is made here; a box that has it is left as it is."""
        key = Path(self.key)
        public = key.with_suffix(".pub")
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hw-tests", "-f", key], check=True)
        told = subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True).stdout
        state = self.box.ok("GetSsh")
        if not state["bEnabled"] or not any(known["strFingerprint"] in told for known in state["keys"]):
            self.box.ok("SetSsh", keys=public.read_text().strip())
        wait_for("port 22 opens", 60, lambda: self.box.port_open(22))

    def enter(self) -> None:
        """SSH is on: use it."""
        self.ssh.networkservice.address = self.box.address
        self.target.activate(self.ssh)
        self.status = "service"

    def leave(self) -> None:
        """SSH ends now, one way or the other."""
        self.target.deactivate(self.ssh)
        if self.status == "service":
            self.status = "booted"

    # -- restarts ----------------------------------------------------------------------------------------

    @step()
    def cut(self) -> float:
        """The power goes, and comes back at once; when it went."""
        self.leave()
        self.started = time.time()
        if self.resetter:
            self.target.activate(self.resetter)
            self.resetter.reset()
        else:
            assert self.power, "this environment has neither reset nor power"
            self.power.cycle()
        return self.started

    @step()
    def wait_restarted(self, seconds: float | None = None) -> None:
        """After a restart, however it came about: the API goes away and comes back, and SSH with it."""
        self.leave()
        self.box.wait_gone(90)
        self.box.wait_api(seconds or self.boot_seconds)
        self.took = time.time() - self.started
        wait_for("port 22 opens", 60, lambda: self.box.port_open(22))
        self.enter()

    @step()
    def reboot(self, seconds: float | None = None) -> None:
        """In order, over the API."""
        self.started = time.time()
        self.box.ok("Reboot")
        self.wait_restarted(seconds)
