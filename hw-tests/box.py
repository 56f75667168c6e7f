"""The box over its HTTP API, as a page or a script on the LAN uses it."""

import hashlib
import socket
import time

import requests
from requests.adapters import HTTPAdapter

from waiting import wait_for

# An answer of an emulated machine that does other things as well.
PATIENCE = 30.0
# One look whether it is there: until it takes the connection, and then until it answers.
LOOK = (1.0, 5.0)


class _From(HTTPAdapter):
    """Connections from one of this host's addresses."""

    def __init__(self, source: str):
        self._source = source
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self._source, 0), **kwargs)


class Box:
    """One box. `address` may change while the tests run; the session opens itself anew after a restart."""

    def __init__(self, address: str):
        self.address = address
        self.user = "admin"
        self.password = ""
        self.session = ""

    # -- calls -------------------------------------------------------------------------------------------

    def raw(
        self,
        name: str,
        params: dict | None = None,
        *,
        source: str | None = None,
        scheme="http",
        headers: dict | None = None,
        timeout: float | tuple[float, float] = PATIENCE,
    ) -> requests.Response:
        """A call as it is, its parameters in a form body: passwords do not belong into an address."""
        with requests.Session() as http:
            if source:
                http.mount("http://", _From(source))
            # The box's certificate is its own; that it is the right one is looked at by a test.
            url = f"{scheme}://{_bracketed(self.address)}/api/v1/{name}"
            return http.post(url, data=params or {}, headers=headers, timeout=timeout, verify=False)

    def call(self, name: str, timeout: float = PATIENCE, /, **params) -> dict:
        """A call with the session; logs in where there is none, or it is gone."""
        if not self.session and self.password:
            self.login()
        answer = self.raw(name, {**params, "session": self.session}, timeout=timeout)
        if answer.status_code == 401 and self.password:
            self.login()
            answer = self.raw(name, {**params, "session": self.session}, timeout=timeout)
        return _json(name, answer)

    def ok(self, name: str, timeout: float = PATIENCE, /, **params) -> dict:
        """A call that has to succeed."""
        answer = self.call(name, timeout, **params)
        assert answer.get("bStatus") is not False, f"{name}: {answer.get('strCode')}"
        return answer

    def refused(self, name: str, /, **params) -> str:
        """A call that has to be refused; the reason."""
        answer = self.call(name, **params)
        assert answer.get("bStatus") is False, f"{name} was not refused: {answer}"
        assert answer.get("strCode"), f"{name} was refused without a reason: {answer}"
        return answer["strCode"]

    def login(self, md5: bool = True) -> dict:
        """Opens a session with the password of this run."""
        password = hashlib.md5(self.password.encode()).hexdigest() if md5 else self.password
        answer = _json("Login", self.raw("Login", {"user": self.user, "password": password}))
        assert answer.get("bStatus") is True and answer.get("strSession"), f"no log-in: {answer.get('strCode')}"
        self.session = answer["strSession"]
        return answer

    def url(self, path: str, scheme: str = "http") -> str:
        """`path` with the session, for what is not a call."""
        mark = "&" if "?" in path else "?"
        return f"{scheme}://{_bracketed(self.address)}{path}{mark}session={self.session}"

    def download(self, path: str, timeout: float = 120.0) -> bytes:
        self.ok("Keepalive")
        answer = requests.get(self.url(path), timeout=timeout)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:200]}"
        return answer.content

    # -- waiting -----------------------------------------------------------------------------------------

    def setup_state(self) -> dict:
        """GetSetup, which answers everybody."""
        answer = _json("GetSetup", self.raw("GetSetup", timeout=LOOK))
        assert "bSetupRequired" in answer, f"GetSetup: {answer}"
        return answer

    def wait_api(self, seconds: float) -> dict:
        return wait_for(f"the API of {self.address} answers", seconds, self.setup_state, pause=0.25)

    def answers(self) -> bool:
        try:
            self.setup_state()
        except (AssertionError, OSError):
            return False
        return True

    def wait_gone(self, seconds: float) -> None:
        """Until three looks in a row have found nothing: one may merely be late."""
        wait_for(
            f"the API of {self.address} goes away",
            seconds,
            lambda: not any(self.answers() for _ in range(3)),
            pause=0.2,
        )
        self.session = ""

    def port_open(self, port: int, timeout: float = 3.0) -> bool:
        try:
            with socket.create_connection((self.address, port), timeout):
                return True
        except OSError:
            return False

    # -- sources -----------------------------------------------------------------------------------------

    def source(self, token: str) -> dict | None:
        entries = self.ok("GetSrc").get("src") or []
        return next((entry for entry in entries if entry["strToken"] == token), None)

    def add_camera(self, token: str, url: str, **more) -> None:
        if self.source(token):
            self.ok("DelSrc", token=token)
        self.ok("AddSrcRTSP", name=token, token=token, url=url, transport="H5_RTSP_TCP", **more)

    def wait_source(self, token: str, what: str, seconds: float, holds) -> dict:
        def look():
            entry = self.source(token)
            assert entry, f"no source {token}"
            assert holds(entry), {
                key: entry.get(key)
                for key in (
                    "bOnline",
                    "strRecState",
                    "strRecText",
                    "strOfflineReason",
                    "strOfflineText",
                    "strVideoType",
                )
            }
            return entry

        return wait_for(what, seconds, look)

    def recordings(self, token: str) -> list[dict]:
        """All of a source, oldest first, those still written included."""
        found: list[dict] = []
        span = {"token": token, "type": "record", "start": "1970-01-02T000000Z", "end": "2100-01-01T000000Z"}
        following = {}
        while True:
            answer = self.ok("Search", **span, **following)
            found += answer.get("record") or []
            if not answer.get("bMore"):
                return found
            following = {"next": answer["strNext"]}

    def recording(self, token: str, seconds: float) -> float:
        """Waits until it is recorded; when that was seen."""
        self.wait_source(token, f"{token} is recorded", seconds, lambda entry: entry.get("strRecState") == "recording")
        return time.time()


def _json(name: str, answer: requests.Response) -> dict:
    try:
        return answer.json()
    except ValueError:
        raise AssertionError(f"{name}: {answer.status_code}, not JSON: {answer.text[:200]!r}") from None


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
