"""Chromium, as the tests start it: headless, silent towards the internet, with a profile that is gone afterwards."""

import contextlib
import tempfile
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@contextlib.contextmanager
def opened(**options) -> Iterator[Page]:
    """One empty page, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path="/usr/bin/chromium", args=ARGUMENTS, headless=True, **options
        )
        try:
            yield browser.pages[0]
        finally:
            browser.close()
