"""Headless Chromium for the tests of pages: opens a file, and tells what it asked for and complained about.

Asserts nothing. Needs Debian's chromium and chromium-driver (setup/system-packages).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --disable-dev-shm-usage"
)


class Browser:
    """One window."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self._driver, self._folder = driver, folder

    def open(self, text: str, width: int, dark: bool = False) -> None:
        """Show that page, laid out for that width in CSS pixels."""
        file = self._folder / "page.html"
        file.write_text(text, encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self._driver.get_log("performance")
        self._driver.get(file.as_uri())

    def ask(self, script: str) -> Any:
        """What that JavaScript returns; the page itself may run none."""
        return self._driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What the console says."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def asked_for(self) -> list[str]:
        """Every address it wanted since it was opened, but the page's own and data in it."""
        events = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("data:", (self._folder / "page.html").as_uri()))]

    def shot(self, file: Path) -> None:
        """The whole page as a PNG."""
        height = min(8000, int(self.ask("return document.documentElement.scrollHeight")))
        width = int(self.ask("return innerWidth"))
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self._driver.save_screenshot(str(file))


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A fresh one, with its own profile in that folder."""
    options = webdriver.ChromeOptions()
    for flag in (*_FLAGS.split(), f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()
