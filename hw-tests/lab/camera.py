"""The camera: the project's simulator outside the box, which stamps each picture with this machine's clock."""

import json
import subprocess
from pathlib import Path

import requests

from lab.servers import Relay

MARKER = b"h5edge-stamp-us:"
WIDTH, HEIGHT = 640, 360


class Camera:
    """A simulated camera on an address of the lab. It ends with this process, whatever happens."""

    def __init__(self, program: Path, host: str, log: Path):
        assert program.exists(), f"not built: {program}"
        options = ["--size", f"{WIDTH}x{HEIGHT}", "--bitrate", "500", "--fps", "25", "--gop", "25"]
        with open(log, "ab") as errors:
            self._process = subprocess.Popen(
                [program, "--until-stdin-closes", *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        line = self._process.stdout.readline()
        assert line, f"the camera did not start: see {log}"
        ready = json.loads(line)
        self._control = ready["control"]
        self._relay = Relay(host, int(ready["rtsp"].split(":")[2].split("/")[0]))
        self.url = f"rtsp://{host}:{self._relay.port}/cam0"

    def stats(self) -> dict:
        return requests.get(f"http://127.0.0.1:{self._control}/stats", timeout=10).json()["cams"][0]

    def close(self) -> None:
        self._relay.close()
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()


def stamps(data: bytes) -> list[float]:
    """The times (seconds since 1970) that the camera wrote into the pictures in `data`, in the order found."""
    found = []
    at = data.find(MARKER)
    while at >= 0:
        value = _unescaped(data[at + len(MARKER) : at + len(MARKER) + 12])
        if len(value) == 8:
            found.append(int.from_bytes(value) / 1e6)
        at = data.find(MARKER, at + 1)
    return found


def _unescaped(data: bytes) -> bytes:
    """The first 8 bytes without H.264's emulation prevention."""
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros == 2 and byte == 3:
            zeros = 0
            continue
        zeros = zeros + 1 if byte == 0 else 0
        out.append(byte)
        if len(out) == 8:
            break
    return bytes(out)
