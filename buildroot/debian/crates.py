#!/usr/bin/env python3
"""crates.py VERSION: the crates that go into the program for arm64, as CycloneDX 1.6 on standard output.

From what cargo itself says (cargo metadata, run with --locked --offline), so that it is the set that was built: normal
dependencies of the target, no tools of the build, no tests. The same crates give the same bytes.
"""

import json
import subprocess
import sys
import tomllib


def main(version):
    metadata = json.loads(subprocess.run(
        ["/usr/bin/cargo", "metadata", "--format-version", "1", "--locked", "--offline",
         "--filter-platform", "aarch64-unknown-linux-gnu"],
        check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {
        node["id"]: sorted(dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"]))
        for node in metadata["resolve"]["nodes"]
    }
    with open("Cargo.lock", "rb") as file:
        sums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(file)["package"]}

    root = metadata["resolve"]["root"]
    todo, used = [root], set()
    while todo:
        package = todo.pop()
        if package not in used:
            used.add(package)
            todo += needs[package]

    def reference(package):
        return f"pkg:cargo/{packages[package]['name']}@{packages[package]['version']}"

    def component(package):
        about = packages[package]
        entry = {
            "type": "application" if package == root else "library",
            "bom-ref": reference(package),
            "name": about["name"],
            "version": about["version"] if package != root else version,
            "purl": reference(package),
        }
        if about.get("license"):
            entry["licenses"] = [{"expression": about["license"].replace("/", " OR ")}]
        if sums.get((about["name"], about["version"])):
            entry["hashes"] = [{"alg": "SHA-256", "content": sums[about["name"], about["version"]]}]
        return entry

    order = sorted(used, key=reference)
    json.dump({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(root)},
        "components": [component(package) for package in order if package != root],
        "dependencies": [
            {"ref": reference(package), "dependsOn": sorted(set(map(reference, needs[package])))} for package in order
        ],
    }, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
