"""Waiting with a bound: a condition is looked at until it holds, and the failure says what was seen last."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

# Between two looks. A look is a request to a slow, emulated machine at most.
PAUSE = 0.5


def wait_for(what: str, seconds: float, look: Callable[[], Seen], pause: float = PAUSE) -> Seen:
    """Looks until `look` gives something true and returns that. A look may fail with AssertionError or
    OSError; what it failed with counts as not yet."""
    deadline = time.monotonic() + seconds
    last: object = None
    while True:
        try:
            seen = look()
            if seen:
                return seen
            last = seen
        except (AssertionError, OSError) as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {last!r}")
        time.sleep(pause)


def stays(what: str, seconds: float, look: Callable[[], object], pause: float = PAUSE) -> None:
    """`look` gives something true, all the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        assert seen, f"{what}: not any more, {deadline - time.monotonic():.1f} s too early; seen: {seen!r}"
        time.sleep(pause)
