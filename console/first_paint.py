"""The headline first: heavy charts wait until the browser has drawn it.

The library that draws our charts is 4.7 MB of JavaScript. A browser that gets headline and charts
at once shows neither until it has read that, half a second on a quick machine and three on a busy
one. So a page's first drawing pauses after the headline until the browser says that it is there.
"""

import secrets
from collections import OrderedDict
from threading import Event, Lock
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.small_body import read_text

# Who never answers (a browser in the background draws nothing) gets the charts after this.
_PATIENCE_S = 1.2
_MAX_WAITING = 200
_MAX_NAME = 64
_waiting: OrderedDict[str, Event] = OrderedDict()
_lock = Lock()

_JS = """
const told = new Set();
export default function ({ data }) {
  if (told.has(data.name)) return;
  told.add(data.name);
  const began = performance.now();
  const look = () => {
    const metric = document.querySelector("[data-testid=stMain] [data-testid=stMetric]");
    if (metric?.getBoundingClientRect().height > 8 || performance.now() - began > 1000) {
      // After the frame that shows it.
      requestAnimationFrame(() => setTimeout(() => {
        fetch("/painted", { method: "POST", body: data.name, credentials: "omit" });
      }));
    } else {
      requestAnimationFrame(look);
    }
  };
  look();
}
"""


def headline_drawn(page: str) -> None:
    """Call between the headline and the charts; waits the first time in a session of a page."""
    key = f"first-paint-{page}"
    is_first = key not in st.session_state
    name = st.session_state.setdefault(key, secrets.token_urlsafe(9))
    seen = _expect(name) if is_first else None
    # Each time, not only the first: what follows would move up a place, and be drawn anew.
    mount: Any = st.components.v2.component("first_paint", js=_JS)
    mount(key="first-paint", data={"name": name}, height=1)
    if seen is not None:
        seen.wait(_PATIENCE_S)
        with _lock:
            _waiting.pop(name, None)


def _expect(name: str) -> Event:
    seen = Event()
    with _lock:
        _waiting[name] = seen
        while len(_waiting) > _MAX_WAITING:
            _waiting.popitem(last=False)
    return seen


async def _painted(request: Request) -> Response:
    name = await read_text(request, _MAX_NAME)
    with _lock:
        seen = _waiting.get(name)
    if seen is not None:
        seen.set()
    return Response(status_code=204)


ROUTES = [Route("/painted", _painted, methods=["POST"])]
