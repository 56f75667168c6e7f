#!/usr/bin/env python3
"""prune.py ROOT POOL USED: makes ROOT, the packages of the image unpacked whole, as small as it can be and complete.

1. What prune.txt names goes, and every GStreamer plugin that plugins.txt does not name, and every script whose
   interpreter is not there.
2. From POOL, a folder for each package that those depend on, come the shared libraries that a program, plugin or
   library in ROOT needs (DT_NEEDED), and theirs in turn. The packages that gave one are written to the file USED.
3. Libraries of ROOT that nothing needs go, but for those that are loaded by name (LOADED).

Prints what it could not find and ends with 1 then. Nothing of ROOT is run; readelf of the build machine reads it.
"""

import fnmatch
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRIPLET = "usr/lib/aarch64-linux-gnu"
PLUGINS = f"{TRIPLET}/gstreamer-1.0"
# Libraries that are opened by name or by the loader, not named by a DT_NEEDED.
LOADED = [
    "ld-linux-aarch64.so.*", "libnss_*", "libkmod.so.*", "libblkid.so.*", "libmount.so.*", "libseccomp.so.*",
    "libacl.so.*", "libcrypt.so.*", "libpam.so.*", "libpcre2-8.so.*",
    # What h5edge itself is linked with; root.sh checks that it is complete.
    "libgst*-1.0.so.*",
]


def entries(name):
    """The lines of a list file without comments."""
    lines = (HERE / name).read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def remove(path):
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def files(root):
    """All regular files of root."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def start(path):
    with path.open("rb") as file:
        return file.read(128)


def needed(paths):
    """What each ELF file needs: {path: [names]}."""
    found = {}
    paths = [str(path) for path in paths]
    for at in range(0, len(paths), 200):
        part = paths[at:at + 200]
        shown = subprocess.run(
            # Twice the first, so that readelf names the file even when there is one only.
            ["readelf", "--dynamic", "--wide", *part, part[0]], capture_output=True, text=True,
            env={**os.environ, "LC_ALL": "C"}, check=False,
        ).stdout
        current = None
        for line in shown.splitlines():
            if line.startswith("File: "):
                current = found.setdefault(Path(line[6:]), [])
            elif "(NEEDED)" in line and current is not None:
                current.append(line.split("[")[1].split("]")[0])
    return found


def libraries(root):
    """By file name, links too, where the loader finds libraries (and in folders below, for those with a RUNPATH)."""
    found = {}
    for folder, _, names in os.walk(Path(root, TRIPLET)):
        for name in names:
            if ".so" in name:
                path = Path(folder, name)
                # One in the folder itself wins over one of a variant below.
                if name not in found or path.parent == Path(root, TRIPLET):
                    found[name] = path
    return found


def drop_scripts(root):
    """Scripts whose interpreter is not there."""
    for folder in ("usr/bin", "usr/sbin", "usr/libexec", "usr/lib"):
        for path in files(Path(root, folder)):
            head = start(path)
            if not head.startswith(b"#!"):
                continue
            interpreter = head[2:].split(b"\n")[0].split()[0].decode()
            if not os.path.lexists(Path(root, interpreter.lstrip("/"))):
                path.unlink()


def drop_dangling(root):
    """Links to what was thrown out."""
    for folder, _, names in os.walk(Path(root, "usr")):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                continue
            target = os.readlink(path)
            if target.startswith(("/run", "/proc", "/dev", "/etc")):
                continue
            target = Path(root, target.lstrip("/")) if target.startswith("/") else path.parent / target
            if not os.path.lexists(target):
                path.unlink()


def main(root, pool, used_list):
    for pattern in entries("prune.txt"):
        for path in root.glob(pattern):
            remove(path)
    plugins = {f"libgst{name}.so" for name in entries("plugins.txt")}
    for path in list(Path(root, PLUGINS).iterdir()):
        if path.name not in plugins:
            remove(path)
    missing = [f"plugin {name}" for name in sorted(plugins) if not Path(root, PLUGINS, name).exists()]
    drop_scripts(root)
    drop_dangling(root)

    own = libraries(root)
    spare = {}
    for package in sorted(pool.iterdir()):
        for name, path in libraries(package).items():
            if name not in spare or path.parent.name == "aarch64-linux-gnu":
                spare[name] = (path, package)
    given = set()
    is_library = {path.resolve() for path in own.values() if path.parent == Path(root, TRIPLET)}
    todo = [path for path in files(root) if start(path).startswith(b"\x7fELF") and path not in is_library]
    todo += [path.resolve() for name, path in own.items() if any(fnmatch.fnmatch(name, p) for p in LOADED)]
    used = set(todo)
    while todo:
        wanted = needed(todo)
        todo = []
        for user, names in wanted.items():
            for name in names:
                path = own.get(name)
                if path is None and name in spare:
                    source, package = spare[name]
                    given.add(package.name)
                    path = Path(root, source.relative_to(package))
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(source.resolve(), path)
                    own[name] = path
                if path is None:
                    missing.append(f"{name}, which {user.relative_to(root)} needs")
                    continue
                file = path.resolve()
                if file not in used:
                    used.add(file)
                    todo.append(file)
    for name, path in own.items():
        if os.path.lexists(path) and path.resolve() not in used and not Path(root, PLUGINS) in path.parents:
            path.unlink()
    used_list.write_text("".join(f"{name}\n" for name in sorted(given)))
    for line in sorted(set(missing)):
        print(f"missing: {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*(Path(argument).resolve() for argument in sys.argv[1:])))
