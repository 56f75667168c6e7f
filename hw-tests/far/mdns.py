"""Runs on the other host: what services the LAN announces by mDNS, as JSON.

mdns.py SECONDS NAME     ends as soon as an instance whose host is NAME was found of each type
"""

import json
import sys
import threading
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceListener, Zeroconf

TYPES = ["_http._tcp.local.", "_https._tcp.local."]


class Found(ServiceListener):
    def __init__(self):
        self.by_name: dict[tuple[str, str], dict] = {}
        self.guard = threading.Lock()

    def add_service(self, zc, type_, name):
        info = zc.get_service_info(type_, name, timeout=5000)
        if info is None:
            return
        entry = {
            "type": type_,
            "name": name,
            "host": (info.server or "").rstrip("."),
            "port": info.port,
            "addresses": info.parsed_addresses(),
            "txt": {key.decode(): (value or b"").decode() for key, value in info.properties.items()},
        }
        with self.guard:
            self.by_name[type_, name] = entry

    update_service = add_service

    def remove_service(self, zc, type_, name):
        with self.guard:
            self.by_name.pop((type_, name), None)


def main() -> None:
    seconds, wanted = float(sys.argv[1]), sys.argv[2].lower()
    found = Found()
    zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
    ServiceBrowser(zeroconf, TYPES, found)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with found.guard:
            types = {entry["type"] for entry in found.by_name.values() if entry["host"].lower() == wanted}
        if types == set(TYPES):
            break
        time.sleep(0.2)
    with found.guard:
        print(json.dumps(list(found.by_name.values())))
    zeroconf.close()


main()
