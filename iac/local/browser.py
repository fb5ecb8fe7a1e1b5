"""Chromium for the browser tests: where it is, how it is started, and how it is installed."""

import os
import shutil
import subprocess
from typing import Any

from iac.local import show

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """Its path, if it is on this machine's PATH."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


# What Playwright's `chromium.launch` takes; without a browser of the system, its own download.
CHROMIUM_OPTIONS: dict[str, Any] = {
    "executable_path": find_browser(),
    "headless": True,
    "args": [
        *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update"),
    ],
}


def install_browser() -> int:
    """Exit code 0 when there is one, from the system's packages where we may install them."""
    if find_browser():
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        show.out.print(
            "The browser tests need Chromium, and only root may install it: "
            "run `apt-get install chromium`, or put a `chromium` on the PATH."
        )
        return 1
    show.progress("installing Chromium for the browser tests")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(["apt-get", *command], env=env, capture_output=True, text=True)
        if done.returncode:
            show.out.print(f"apt-get {command[0]} failed: {done.stderr[-2000:]}", markup=False)
            return done.returncode
    return 0
