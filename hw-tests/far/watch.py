"""Runs on the other host: Chromium opens a player page of the box and tells what its video element shows, as JSON.

watch.py SECONDS URL     the URL may hold a session: it is not printed
"""

import json
import sys
import time

from browser import opened

LOOK = "() => { const v = document.querySelector('video'); return v && [v.currentTime, v.videoWidth, v.videoHeight]; }"
# Until the first picture: a cold browser on a busy machine.
PATIENCE = 60


def main() -> None:
    seconds, url = float(sys.argv[1]), sys.argv[2]
    received = {"bytes": 0, "sockets": []}
    errors: list[str] = []

    def socket_opened(socket) -> None:
        received["sockets"].append(socket.url.partition("?")[0])
        socket.on("framereceived", lambda frame: received.update(bytes=received["bytes"] + len(frame)))

    with opened() as page:
        page.on("websocket", socket_opened)
        page.on("pageerror", lambda error: errors.append(str(error)))
        asked = time.monotonic()
        page.goto(url, timeout=PATIENCE * 1000)
        page.wait_for_function(
            "() => { const v = document.querySelector('video');"
            " return v && v.videoWidth > 0 && v.currentTime > 0.2 && !v.paused }",
            timeout=PATIENCE * 1000,
        )
        first = time.monotonic() - asked
        begun, start = time.monotonic(), page.evaluate(LOOK)
        # The page's own clock: time in which the video has to move on.
        page.wait_for_timeout(seconds * 1000)
        end, elapsed = page.evaluate(LOOK), time.monotonic() - begun
    print(
        json.dumps(
            {
                "first": first,
                "elapsed": elapsed,
                "moved": end[0] - start[0],
                "width": end[1],
                "height": end[2],
                "errors": errors,
                **received,
            }
        )
    )


main()
