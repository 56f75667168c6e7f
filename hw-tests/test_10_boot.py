"""From power-on to the first answer, as seen from outside."""

import select
import socket
import time

import pytest

from waiting import wait_for

# All TCP ports that a box has open before SSH is switched on.
PORTS = {80, 443, 8189, 8554}
# Connections at a time: an emulated machine answers some thousand a second.
AT_ONCE = 500


def test_the_api_answers_after_power_on(station, booted, figure, features):
    """Reported, not judged: an emulated processor says nothing about a real one."""
    if "console" in features:
        kernel = station.power.seen("Starting kernel", station.started)
        assert kernel, "U-Boot did not say that it starts the kernel"
        figure("kernel start to API", station.started + station.took - kernel, "s")
    figure("power-on to API", station.took, "s")
    assert booted.setup_state()["strVersion"]


@pytest.mark.needs("lan")
def test_dhcp_knows_the_box_by_its_name(booted, dhcp, option):
    name = booted.setup_state()["strHostname"]
    wait_for("the lease has the box's name", 30, lambda: dhcp.names().get(option("dhcp")) == name)


@pytest.mark.needs("console")
def test_the_console_shows_no_trouble(station, booted):
    """U-Boot found its script and its environment; the kernel found nothing wrong on the way."""
    with_trouble = (
        "Kernel panic",
        "Oops",
        "is broken",
        "does not start",
        "BUG:",
        "ordering cycle",
        "Failed to mount",
        "emergency mode",
    )
    since = station.started
    bad = [line for at, line in station.power.lines if at >= since and any(word in line for word in with_trouble)]
    assert not bad, "\n".join(bad)


def test_ports_from_outside(booted):
    """Exactly the listed ones, of all 65535, before SSH is on."""
    # 8554 and 8189 are opened by the daemon a moment after the API.
    wait_for("port 8554 opens", 30, lambda: booted.port_open(8554))
    assert scan(booted.address) == PORTS


def scan(address: str) -> set[int]:
    """All TCP ports that take a connection."""
    found: set[int] = set()
    ports = list(range(1, 65536))
    for at in range(0, len(ports), AT_ONCE):
        taken, silent = knock(address, ports[at : at + AT_ONCE])
        # What neither takes nor refuses is asked once more before that is believed.
        found |= taken | knock(address, sorted(silent))[0]
    return found


def knock(address: str, ports: list[int]) -> tuple[set[int], set[int]]:
    """Which of the ports take a connection, and which say nothing."""
    waiting: dict[int, tuple[int, socket.socket]] = {}
    taken: set[int] = set()
    poll = select.poll()
    for port in ports:
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        client.setblocking(False)
        client.connect_ex((address, port))
        poll.register(client, select.POLLOUT)
        waiting[client.fileno()] = (port, client)
    deadline = time.monotonic() + 3
    while waiting and time.monotonic() < deadline:
        for number, _ in poll.poll(500):
            poll.unregister(number)
            port, client = waiting.pop(number)
            with client:
                if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    taken.add(port)
    for _, client in waiting.values():
        client.close()
    return taken, {port for port, _ in waiting.values()}
