"""Checks of the Yocto layer that no linter makes; check.sh runs them.

`check.py TOP YOCTO`: the project's folder, and the folder with the layer. Prints what is wrong, one line
each, and ends with 1 if anything is.
"""

import hashlib
import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path

import jsonschema
import yaml

UBOOT_BOARDS = ["imx8mp", "qemu", "rk3588", "rpi4"]
BOARDS = [*UBOOT_BOARDS, "rpi5"]
UUID = "48354544-000{0}-4000-8000-00000000000{0}"
# Name and MiB of the partitions, in the order of the disk; data is only as large as the file system needs.
PARTITIONS = [("boot", 64), ("rootfs-a", 384), ("rootfs-b", 384), ("bootstate", 8), ("data", None)]
DEBUG = re.compile(
    r"\b(debug-tweaks|empty-root-password|allow-empty-password|allow-root-login|serial-autologin-root"
    r"|post-install-logging|tools-debug|ssh-server-\w+|EXTRA_USERS_PARAMS)\b"
)


class Checks:
    def __init__(self, top: Path, yocto: Path):
        self.top, self.yocto, self.layer = top, yocto, yocto / "meta-h5edge"
        self.wrong: list[str] = []

    def need(self, good: bool, what: str) -> None:
        if not good:
            self.wrong.append(what)

    def kas(self) -> None:
        """Each board's file follows kas's own schema, names files that exist and pins every repository."""
        spec = importlib.util.find_spec("kas")
        schema = json.loads((Path(spec.origin).parent / "schema-kas.json").read_text())
        self.need(sorted(p.stem for p in self.yocto.glob("kas/*.yml")) == sorted([*BOARDS, "common"]),
                  "kas: one file a board, and common.yml")
        machines = re.findall(r"^H5EDGE_BOARD:(\S+) = \"(\w+)\"", self.text("conf/distro/h5edge.conf"), re.M)
        for path in sorted(self.yocto.glob("kas/*.yml")):
            content = yaml.safe_load(path.read_text())
            for error in jsonschema.Draft7Validator(schema).iter_errors(content):
                self.wrong.append(f"kas/{path.name}: {error.json_path}: {error.message[:200]}")
            if not isinstance(content, dict):
                continue
            header = content.get("header") or {}
            for include in header.get("includes", []):
                self.need(self.named(include).is_file(), f"kas/{path.name}: no file {include}")
            for name, repo in (content.get("repos") or {}).items():
                repo = repo or {}
                if "url" in repo:
                    self.need(re.fullmatch(r"[0-9a-f]{40}", repo.get("commit", "")) is not None,
                              f"kas/{path.name}: {name} is not pinned to a commit")
                else:
                    for layer in repo.get("layers") or {}:
                        self.need((self.named(layer) / "conf/layer.conf").is_file(),
                                  f"kas/{path.name}: no layer {layer}")
            if path.stem != "common":
                self.need((content.get("machine"), path.stem) in machines,
                          f"kas/{path.name}: machine {content.get('machine')} is not board {path.stem} in h5edge.conf")

    def named(self, path: str) -> Path:
        """A path as kas takes it, from the project's folder; yocto/ may be a copy."""
        return self.yocto / path.removeprefix("yocto/")

    def text(self, path: str) -> str:
        return (self.layer / path).read_text()

    def recipes(self) -> list[Path]:
        return sorted([*self.layer.rglob("*.bb"), *self.layer.rglob("*.bbappend"), *self.layer.rglob("*.bbclass"),
                       *self.layer.rglob("*.conf")])

    def sources(self) -> None:
        """Every file:// has its file, every append lies where layer.conf looks for it."""
        conf = self.text("conf/layer.conf")
        self.need('LAYERSERIES_COMPAT_h5edge = "wrynose"' in conf, "layer.conf: wrynose only")
        for path in self.recipes():
            content = path.read_text()
            folders = self.folders(path, content)
            for name in re.findall(r"\bfile://([\w.-]+)(?=[\s;\"])", content):
                for board in UBOOT_BOARDS:
                    here = [Path(folder.replace("${H5EDGE_BOARD}", board)) for folder in folders]
                    self.need(any((folder / name).exists() for folder in here),
                              f"{path.relative_to(self.yocto)}: no file {name} (board {board})")
            for used in re.findall(r"LICENSE-\w+;md5=[0-9a-f]{32}", content):
                name, md5 = used.split(";md5=")
                self.need(hashlib.md5((self.top / name).read_bytes()).hexdigest() == md5,
                          f"{path.relative_to(self.yocto)}: {name} has another checksum")
            if "dynamic-layers" in path.parts:
                collection = path.parts[path.parts.index("dynamic-layers") + 1]
                self.need(f"{collection}:${{LAYERDIR}}/dynamic-layers/{collection}/" in conf,
                          f"{path.relative_to(self.yocto)}: layer.conf does not look there")

    def folders(self, path: Path, content: str) -> list[str]:
        """Where a recipe's file:// is looked for: LICENSE files at the top, others by FILESEXTRAPATHS."""
        found = re.findall(r'^FILESEXTRAPATHS:prepend\S* := "([^"]*)"', content, re.M)
        texts = [part for paths in found for part in paths.split(":") if part] + ["${H5EDGE_ROOT}"]
        return [text.replace("${THISDIR}", str(path.parent)).replace("${H5EDGE_ROOT}/yocto", str(self.yocto))
                .replace("${H5EDGE_ROOT}", str(self.top)) for text in texts]

    def crates(self) -> None:
        """crates.py gives one address and one checksum for each crate of a registry, and nothing else."""
        spec = importlib.util.spec_from_file_location("crates", self.yocto / "crates.py")
        crates = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(crates)
        lock = (self.top / "Cargo.lock").read_text()
        try:
            text = crates.render(lock)
        except ValueError as error:
            self.wrong.append(f"crates.py: {error}")
            return
        packages = [p for p in tomllib.loads(lock)["package"] if "source" in p]
        addresses = re.findall(r"^    crate://[\w.-]+/([\w-]+)/(\S+) \\$", text, re.M)
        sums = re.findall(r'^SRC_URI\[(\S+)\.sha256sum\] = "([0-9a-f]{64})"$', text, re.M)
        self.need(sorted(addresses) == sorted((p["name"], p["version"]) for p in packages),
                  f"crates.py: {len(addresses)} addresses for {len(packages)} crates")
        self.need(sorted(sums) == sorted((f"{p['name']}-{p['version']}", p["checksum"]) for p in packages),
                  f"crates.py: {len(sums)} checksums for {len(packages)} crates")

    def disk(self) -> None:
        """The disk is the one that mounts, boot script and RAUC count on."""
        parts = [line.split() for line in self.text("files/wic/h5edge.wks.in").splitlines()
                 if line.startswith("part ")]
        self.need(len(parts) == len(PARTITIONS), f"h5edge.wks.in: {len(parts)} partitions")
        for number, (words, (name, size)) in enumerate(zip(parts, PARTITIONS), start=1):
            values = dict(zip(words, words[1:]))
            self.need(values.get("--uuid") == UUID.format(number), f"h5edge.wks.in: UUID of partition {number}")
            self.need(values.get("--part-name") == name, f"h5edge.wks.in: name of partition {number}")
            if size:
                self.need(values.get("--fixed-size") == f"{size}M", f"h5edge.wks.in: size of {name}")
        self.need("bootloader --ptable gpt" in self.text("files/wic/h5edge.wks.in"), "h5edge.wks.in: not GPT")
        image = self.text("recipes-core/images/h5edge-image.bb")
        self.need(f'H5EDGE_SLOT_BYTES = "{384 << 20}"' in image, "h5edge-image.bb: size of a slot")
        self.need('IMAGE_FEATURES = "read-only-rootfs"' in image, "h5edge-image.bb: the root is not read-only")
        self.need('RAUC_BUNDLE_FORMAT = "verity"' in self.text("recipes-core/bundles/h5edge-bundle_1.0.bb"),
                  "h5edge-bundle: not of the verity format")

    def no_debug(self) -> None:
        """Nothing opens a box: no debug feature is asked for, in recipes or kas files."""
        for path in [*self.recipes(), *self.yocto.glob("kas/*.yml")]:
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                found = DEBUG.search(line)
                # The image's own list of what it refuses is written with quotes around each name.
                if found and f"'{found[1]}'" not in line:
                    self.wrong.append(f"{path.relative_to(self.yocto)}:{number}: {found[1]}")

    def plugins(self) -> None:
        """Each package is named once, in order, and each plugin that bbappends switch on is installed."""
        group = self.text("recipes-core/packagegroups/packagegroup-h5edge.bb")
        names = re.findall(r"^    ([\w.-]+) \\$", group, re.M)
        self.need(len(names) == len(set(names)), "packagegroup-h5edge: a package named twice")
        for option, package in {"libde265": "bad-de265", "openh264": "bad-openh264", "v4l2codecs": "bad-v4l2codecs",
                                "jpeg": "good-jpeg", "v4l2": "good-video4linux2"}.items():
            append = self.text(f"recipes-multimedia/gstreamer/gstreamer1.0-plugins-{package.split('-')[0]}_%.bbappend")
            on = re.search(rf"^PACKAGECONFIG:h5edge-box = \".*\b{option}\b", append, re.M)
            self.need(bool(on) == (f"gstreamer1.0-plugins-{package}" in names),
                      f"GStreamer: {option} is built but not installed, or the other way round")


def main() -> int:
    checks = Checks(Path(sys.argv[1]), Path(sys.argv[2]))
    for check in (checks.kas, checks.sources, checks.crates, checks.disk, checks.no_debug, checks.plugins):
        check()
    for line in checks.wrong:
        print(f"yocto: {line}")
    return 1 if checks.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
