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
# Whether the part of the page that is being drawn redraws itself, and so looks again with that.
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
        show_silent(f"{what} cannot be shown right now. {error}", error)
    except Exception as error:  # the process edge: log it whole, show a reference
        show_failure(what, error)


def show_silent(words: str, error: Unreachable | Problem) -> None:
    """What may pass by itself is looked at again; a refusal stays one."""
    is_passing = isinstance(error, Unreachable) or error.status >= 500
    if not is_passing or _is_live.get():
        st.warning(words, icon=":material/cloud_off:")
        return
    drawn_at = time.monotonic()

    @st.fragment(run_every=_LOOK_AGAIN_S)
    def wait() -> None:
        if time.monotonic() - drawn_at > _LOOK_AGAIN_S / 2:
            st.rerun()
        st.warning(f"{words} The page looks again by itself.", icon=":material/cloud_off:")

    wait()


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
            token = _is_live.set(run_every_s is not None)
            try:
                with boundary(what):
                    context.check()
                    draw()
            finally:
                _is_live.reset(token)
            masthead.draw()

        return guarded

    return decorate
