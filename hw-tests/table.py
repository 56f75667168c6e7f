"""Puts a run's results into the README's table of what was tested on what.

    table.py             the table anew from tested-on.json
    table.py RESULTS     first takes a results.json over, in place of that board's last one

`tested-on.json` beside this file keeps the last run of each board and environment. Boards that nobody has run the suite
on are listed as such: a build is no test.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE / "tested-on.json"
README = HERE.parent / "README.md"
BEGIN, END = "<!-- tested-on -->", "<!-- /tested-on -->"
# Every board that there is an image for, as people call it.
BOARDS = {
    "debian": "Debian image, QEMU virt",
    "qemu": "Buildroot image, QEMU virt",
    "rpi4": "Raspberry Pi 4",
    "rpi5": "Raspberry Pi 5",
    "rk3588": "RK3588",
    "imx8mp": "i.MX 8M Plus",
}
# Of the facts, what a row shows; of a run's figures everything is shown.
FACTS = ["kernel", "gstreamer", "decoders"]


def main() -> None:
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if len(sys.argv) > 1:
        run = json.loads(Path(sys.argv[1]).read_text())
        if not run["whole"]:
            sys.exit("table.py: that run was a part of the suite")
        if run["board"] not in BOARDS:
            sys.exit(f"table.py: unknown board {run['board']!r}")
        kept[f"{run['board']} {run['environment']}"] = shorten(run)
        KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
    text = README.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"table.py: {README} needs one {BEGIN} and one {END}")
    head, rest = text.split(BEGIN)
    README.write_text(f"{head}{BEGIN}\n{table(kept)}\n{END}{rest.split(END)[1]}")


def shorten(run: dict) -> dict:
    """What is worth keeping: not the tests that passed."""
    return {
        **{key: run[key] for key in ("date", "environment", "board", "seconds", "facts", "counts", "figures")},
        "not passed": [test for test in run["tests"] if test["outcome"] != "passed"],
    }


def table(kept: dict) -> str:
    lines = [
        "| board | by | date | version | kernel | GStreamer | decoder in use | passed | failed | skipped |",
        "|---|---|---|---|---|---|---|--:|--:|--:|",
    ]
    for board, name in BOARDS.items():
        runs = [run for run in kept.values() if run["board"] == board]
        if not runs:
            never = "not run yet" if "QEMU" in name else "no board has run it: QEMU only"
            lines.append(f"| {name} | {never} | | | | | | | | |")
        lines += [row(name, run) for run in runs]
    for run in kept.values():
        title = f"{BOARDS[run['board']]}, {run['environment']}, {run['date']}"
        lines += ["", f"{title}, {run['seconds'] // 60} min:", "", "| figure | value | target |", "|---|--:|--:|"]
        lines += [figure(entry) for entry in run["figures"]]
        troubles = [test for test in run["not passed"] if test["outcome"] == "failed"]
        lines += ["", *(f"- failed: `{cell(test['name'])}`" for test in troubles)] if troubles else []
    return "\n".join(lines)


def row(name: str, run: dict) -> str:
    facts, counts = run["facts"], run["counts"]
    cells = [name, run["environment"], run["date"], facts.get("version", ""), *(facts.get(fact, "") for fact in FACTS)]
    return "| " + " | ".join([*map(cell, cells), *(str(counts[key]) for key in ("passed", "failed", "skipped"))]) + " |"


def figure(entry: dict) -> str:
    target = "" if entry["target"] is None else f"≤ {entry['target']:g}"
    return f"| {cell(entry['name'])} | {entry['value']:g} {cell(entry['unit'])} | {target} |"


def cell(text: str) -> str:
    """Without what would end a cell."""
    return re.sub(r"[|\n]", " ", text)


main()
