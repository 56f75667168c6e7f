"""Servers that the box is pointed at. Each runs on threads of its own and ends with its `close`."""

import contextlib
import socket
import struct
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# From 1900, where NTP counts from, to 1970.
NTP_EPOCH = 2208988800


class TimeServer:
    """An SNTP server (RFC 4330) with this machine's clock, so that it is known what the box must arrive at. While it is
    `silent` it answers nobody."""

    def __init__(self, address: str):
        self.asked = 0
        self.silent = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 123))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                request, peer = self._socket.recvfrom(512)
                arrived = _ntp(time.time())
                if self.silent or len(request) < 48 or request[0] & 7 != 3:
                    continue
                self.asked += 1
                # No warning, the version asked with, server; stratum 1, precision 1 µs.
                head = struct.pack("!BBBb", request[0] & 0x38 | 4, 1, request[2], -20)
                answer = head + struct.pack("!II4s", 0, 64, b"LOCL") + _ntp(time.time() - 1)
                self._socket.sendto(answer + request[40:48] + arrived + _ntp(time.time()), peer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _ntp(at: float) -> bytes:
    return struct.pack("!II", int(at) + NTP_EPOCH & 0xFFFFFFFF, int(at % 1 * 2**32))


class FileServer:
    """Files of one folder over HTTP, with byte ranges as RAUC needs them to stream; `dies_after` bytes of a file
    the connection ends, as when the server's power goes, and so does each later one."""

    def __init__(self, address: str, folder: Path):
        self.dies_after: int | None = None
        self.sent = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self._answer(with_body=False)

            def do_GET(self):
                self._answer(with_body=True)

            def _answer(self, with_body: bool) -> None:
                path = folder / Path(self.path).name
                if not path.is_file():
                    self.send_error(404)
                    return
                size = path.stat().st_size
                first, last, status = 0, size - 1, 200
                asked = self.headers.get("Range", "")
                if asked.startswith("bytes="):
                    begin, _, end = asked[6:].partition("-")
                    first, last, status = int(begin), min(int(end or size - 1), size - 1), 206
                self.send_response(status)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(last + 1 - first))
                if status == 206:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
                self.end_headers()
                if with_body:
                    self._send(path, first, last + 1)

            def _send(self, path: Path, at: int, end: int) -> None:
                with open(path, "rb") as file:
                    file.seek(at)
                    while at < end:
                        chunk = file.read(min(65536, end - at))
                        if server.dies_after is not None and server.sent + len(chunk) > server.dies_after:
                            self.close_connection = True
                            self.connection.shutdown(socket.SHUT_RDWR)
                            return
                        self.wfile.write(chunk)
                        server.sent += len(chunk)
                        at += len(chunk)

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Relay:
    """A TCP port of the lab's address that leads to one of loopback, where the camera listens."""

    def __init__(self, address: str, port: int):
        self._target = port
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                outside, _ = self._listener.accept()
                inside = socket.create_connection(("127.0.0.1", self._target))
                for pair in ((outside, inside), (inside, outside)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()

    def close(self) -> None:
        self._listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Dhcp:
    """dnsmasq as the site's router: one fixed lease for the box, IPv6 prefix, names of `.h5hw`."""

    def __init__(self, folder: Path, mac: str, address: str, host: str):
        self.leases = folder / "leases"
        command = [
            *["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"],
            *["--interface=br0", "--bind-interfaces", "--except-interface=lo", "--user=root", "--dhcp-authoritative"],
            *["--dhcp-range=192.168.77.100,192.168.77.150,12h", f"--dhcp-host={mac},{address}"],
            *[f"--dhcp-option=option:router,{host}", f"--dhcp-option=option:dns-server,{host}"],
            *["--dhcp-range=::,constructor:br0,ra-only", "--enable-ra", "--ra-param=br0,10,600"],
            *[f"--address=/time.h5hw/{host}", "--local=/h5hw/"],
            *[f"--dhcp-leasefile={self.leases}", f"--log-facility={folder / 'dnsmasq.log'}", "--log-dhcp"],
            *[f"--pid-file={folder / 'dnsmasq.pid'}"],
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def names(self) -> dict[str, str]:
        """Host names by address, as the leases tell them."""
        lines = self.leases.read_text().splitlines() if self.leases.exists() else []
        fields = [line.split() for line in lines]
        return {field[2]: field[3] for field in fields if len(field) >= 4}

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
