"""What a User-Agent says to a person: a browser and a system, nothing that could identify one."""

# The first that occurs counts: most browsers name others, too.
_BROWSERS = {
    "Edg/": "Edge", "EdgA/": "Edge", "OPR/": "Opera", "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox", "FxiOS/": "Firefox", "CriOS/": "Chrome", "Chrome/": "Chrome",
    "Safari/": "Safari", "curl/": "curl", "python-httpx/": "Python",
}  # fmt: skip
_SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows",
    "Mac OS X": "macOS", "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


def device_of(user_agent: str) -> str:
    """`Firefox on Linux`; one of the two when only one is known, empty when none is."""
    named = (
        next((name for mark, name in marks.items() if mark in user_agent), "")
        for marks in (_BROWSERS, _SYSTEMS)
    )
    return " on ".join(name for name in named if name)
