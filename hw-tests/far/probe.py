"""Runs on the other host: a WS-Discovery Probe for ONVIF devices; the ProbeMatches that come, as JSON.

probe.py SECONDS INTERFACE-ADDRESS
"""

import json
import socket
import sys
import time
import uuid
import xml.etree.ElementTree as ElementTree

GROUP = ("239.255.255.250", 3702)
PROBE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>
<a:MessageID>uuid:{message}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"""


def text(root: ElementTree.Element, name: str) -> str:
    """Of the first element with this local name."""
    found = next((item for item in root.iter() if item.tag.rpartition("}")[2] == name), None)
    return "".join(found.itertext()).strip() if found is not None else ""


def main() -> None:
    seconds, address = float(sys.argv[1]), sys.argv[2]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    sock.bind((address, 0))
    message = str(uuid.uuid4())
    matches = {}
    deadline = time.monotonic() + seconds
    again = 0.0
    while (now := time.monotonic()) < deadline:
        if now >= again:
            # UDP may be lost: the same message again, as the standard has it.
            sock.sendto(PROBE.format(message=message).encode(), GROUP)
            again = now + 1
        sock.settimeout(0.5)
        try:
            data, peer = sock.recvfrom(65536)
        except TimeoutError:
            continue
        root = ElementTree.fromstring(data)
        for match in (item for item in root.iter() if item.tag.rpartition("}")[2] == "ProbeMatch"):
            endpoint = text(match, "EndpointReference")
            matches[endpoint, peer[0]] = {
                "from": peer[0],
                "endpoint": endpoint,
                "types": text(match, "Types").split(),
                "scopes": text(match, "Scopes").split(),
                "addresses": text(match, "XAddrs").split(),
                "relates": text(root, "RelatesTo"),
                "message": f"uuid:{message}",
            }
    print(json.dumps(list(matches.values())))


main()
