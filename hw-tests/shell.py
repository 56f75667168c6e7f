"""Commands on the box, over the SSH that the API switched on."""

import base64
import shlex

# A command of an emulated machine that also does other things.
PATIENCE = 60.0


class Shell:
    """Runs command lines through labgrid's SSHDriver, whichever connection that has at the time."""

    def __init__(self, strategy):
        self._strategy = strategy

    def run(self, command: str, timeout: float = PATIENCE) -> str:
        """Its output; the command has to succeed."""
        out, error, status = self.attempt(command, timeout)
        assert status == 0, f"{command!r}: status {status}: {out[-500:]} {error[-500:]}"
        return out

    def attempt(self, command: str, timeout: float = PATIENCE) -> tuple[str, str, int]:
        """Output, errors and status."""
        out, error, status = self._strategy.ssh.run(command, timeout=timeout)
        return "\n".join(out), "\n".join(error), status

    def read(self, path: str) -> bytes:
        """A file, whatever is in it."""
        return base64.b64decode(self.run(f"base64 {shlex.quote(path)}", timeout=300))

    def unit(self, name: str, *properties: str) -> dict[str, str]:
        """Properties of a systemd unit."""
        lines = self.run(f"systemctl show {name} -p {','.join(properties)}").splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def boot_variable(self, name: str) -> str:
        """Of U-Boot's environment; nothing where it is not set."""
        out, _, status = self.attempt(f"fw_printenv -n {name}")
        return out.strip() if status == 0 else ""
