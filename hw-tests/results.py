"""What a run found, beside JUnit: facts of the box, figures with their targets, every test's outcome, as JSON.

`table.py` makes the README's table of it.
"""

import json
import time
from pathlib import Path


class Results:
    """Of one run; written after each test, so that an interrupted one tells what it has."""

    def __init__(self, path: Path, environment: str, board: str):
        self._path = path
        self._begun = time.monotonic()
        self.data: dict = {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "environment": environment,
            "board": board,
            "seconds": 0,
            # Every test was run, or skipped for what the environment lacks.
            "whole": False,
            "facts": {},
            "counts": {"passed": 0, "failed": 0, "skipped": 0},
            "figures": [],
            "tests": [],
        }

    def fact(self, name: str, value: str) -> None:
        self.data["facts"][name] = value

    def figure(self, name: str, value: float, unit: str, target: float | None = None) -> None:
        """A measured value; `target` is the most it may be."""
        entry = {"name": name, "value": round(value, 2), "unit": unit, "target": target}
        self.data["figures"] = [old for old in self.data["figures"] if old["name"] != name] + [entry]

    def test(self, name: str, outcome: str, seconds: float, reason: str = "") -> None:
        self.data["tests"].append({"name": name, "outcome": outcome, "seconds": round(seconds, 1), "reason": reason})
        self.data["counts"][outcome] += 1
        self.write()

    def write(self) -> None:
        self.data["seconds"] = round(time.monotonic() - self._begun)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.data, indent=1) + "\n")
