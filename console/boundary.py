"""What a person sees when something fails: a sentence and a reference, never a trace."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from console import context, masthead
from console.queries.edge import Problem, SignedOut, Unreachable
from pipeline.runtime import logs
from pipeline.runtime.clock import new_id

log = logs.get_logger()
_LOOK_AGAIN_S = 10
# A part that redraws itself looks again with that.
_is_live: ContextVar[bool] = ContextVar("is_live", default=False)


@contextmanager
def boundary(what: str) -> Iterator[None]:
    """Guard a page or one of its panels: `what` completes "… cannot be shown right now"."""
    try:
        yield
    except SignedOut:
        st.session_state["ended"] = True
        st.rerun()
    except (Unreachable, Problem) as error:
        is_passing = isinstance(error, Unreachable) or error.status >= 500
        again = " The page looks again by itself." if is_passing else ""
        st.warning(f"{what} cannot be shown right now. {error}{again}", icon=":material/cloud_off:")
        if is_passing and not _is_live.get():
            st.session_state["unshown"] = True
    except Exception as error:  # the process edge: log it whole, show a reference
        show_failure(what, error)


def show_failure(what: str, error: Exception) -> None:
    reference = new_id()
    log.error("console.failed", what=what, correlation_id=reference, exc_info=error)
    st.error(
        f"{what} cannot be shown: something went wrong on our side. It is in the log under "
        f"the reference `{reference}`.",
        icon=":material/error:",
    )


def last_resort(error: Exception) -> bool:
    """What escapes every boundary, e.g. in a callback; tells Streamlit it has been shown."""
    show_failure("This page", error)
    return True


def live(
    what: str, run_every_s: float | None
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """A part of a page that redraws itself (with None only when it is used), always guarded."""

    def decorate(draw: Callable[[], None]) -> Callable[[], None]:
        @st.fragment(run_every=run_every_s)
        def guarded() -> None:
            token = _is_live.set(True)
            try:
                with boundary(what):
                    context.check()
                    draw()
            finally:
                _is_live.reset(token)
            masthead.draw()

        return guarded

    return decorate


def look_again() -> None:
    """The end of each page: draws it again by itself while a part of it waits for its source."""
    is_whole = not st.session_state.pop("unshown", False)
    drawn_at = time.monotonic()

    @st.fragment(run_every=None if is_whole else _LOOK_AGAIN_S)
    def wait() -> None:
        if time.monotonic() - drawn_at > _LOOK_AGAIN_S / 2:
            st.rerun()

    wait()
