"""Who is signed in: found again by a random id in an HttpOnly cookie.

Tokens never reach the browser, neither in the page nor in the address. Signing in hands the page
a ticket (single use, one minute); the page posts it to `/session`, whose answer sets the cookie.
Sessions are items of the ops table (`session_rows.py`); what is kept here is a copy, looked at
again every few seconds, so that a sign-out elsewhere ends it here too.
"""

import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from console import audit, session_rows
from console.queries import edge
from console.session_rows import Row
from pipeline.contracts.roles import STAFF
from pipeline.runtime import logs

SESSION_TTL_S = 12 * 3600
TICKET_TTL_S = 60
_RENEW_BEFORE_S = 60
_LOOK_AGAIN_S = 3.0
_RENEWAL_LOOKS, _RENEWAL_PAUSE_S = 12, 0.25
_MAX_SESSIONS = 500
_MAX_EMAIL = 254
log = logs.get_logger()


class Refused(Exception):
    """The sign-in is refused; the text is for the person."""


@dataclass
class Session:
    """One signed-in person. `secret` is what the cookie holds; `version` counts renewals.

    One that is not `is_kept` lives in this process alone: the ops table was silent.
    """

    name: str
    email: str
    role: str
    tokens: edge.Tokens
    secret: str = field(default="", repr=False)
    version: int = 1
    ends_at: float = field(default_factory=lambda: time.time() + SESSION_TTL_S)
    is_kept: bool = True
    looked_at: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def is_operator(self) -> bool:
        return self.role in ("operator", "admin")


class SessionStore:
    """Tickets, and copies of sessions; both bounded, so that nobody can fill the process."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._tickets: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def sign_in(self, email: str, password: str) -> tuple[str, str]:
        """(secret of the session, ticket). Raises Refused, or edge.Unreachable."""
        user, tokens = _asked(email, password)
        secret, ticket = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        session = Session(
            str(user.get("name") or email), str(user["email"]), str(user["role"]), tokens, secret
        )
        try:
            session_rows.put(secret, _row(session))
        except edge.Unreachable as problem:
            session.is_kept = False
            log.warning("console.session_not_kept", reason=str(problem))
        with self._lock:
            self._remember(session)
            self._tickets[ticket] = (secret, time.time() + TICKET_TTL_S)
        audit.note(session.email, session.role, "sign-in", "console", "ok")
        return secret, ticket

    def claim(self, ticket: str) -> str | None:
        """The secret a ticket stands for, once."""
        with self._lock:
            secret, ends_at = self._tickets.pop(ticket, ("", 0.0))
        return secret if ends_at > time.time() else None

    def is_waiting(self, ticket: str) -> bool:
        return ticket in self._tickets

    def find(self, secret: str | None) -> Session | None:
        """Raises edge.Unreachable for one that only a silent ops table can know."""
        if not secret:
            return None
        session = self._sessions.get(_digest(secret))
        if session is None:
            return self._recall(secret)
        if session.is_kept and time.monotonic() - session.looked_at > _LOOK_AGAIN_S:
            session.looked_at = time.monotonic()  # first, so that others do not wait for it too
            try:
                row = session_rows.find(secret)
            except edge.Unreachable:
                row = _row(session)  # it goes on with what is known
            if row is None:
                self._forget(secret)
                return None
            _take(session, row)
        return session if session.ends_at > time.time() else None

    def sign_out(self, secret: str, *, is_asked: bool = True) -> bool:
        """Ends it on every console; False while a silent ops table may still hold it.

        `is_asked` is whether the person did it, or the session was found to be over.
        """
        session = self._sessions.get(_digest(secret))
        self._forget(secret)
        is_gone = True
        try:
            session_rows.delete(secret)
        except edge.Unreachable as problem:
            is_gone = session is not None and not session.is_kept
            log.warning("console.session_not_deleted", reason=str(problem))
        if session:
            edge.log_out(session.tokens)
            action = "sign-out" if is_asked else "session.ended"
            audit.note(
                session.email, session.role, action, "console", "ok" if is_gone else "failed"
            )
        return is_gone

    def _recall(self, secret: str) -> Session | None:
        row = session_rows.find(secret)
        if row is None:
            return None
        session = Session(row.name, row.email, row.role, row.tokens, secret,
                          row.version, row.ends_at)  # fmt: skip
        with self._lock:
            # Another of the browser's tabs may have been first: they must share one lock.
            known = self._sessions.get(_digest(secret))
            if known is None:
                self._remember(session)
        return known or session

    def _remember(self, session: Session) -> None:
        now = time.time()
        self._tickets = {k: v for k, v in self._tickets.items() if v[1] > now}
        self._sessions = {k: s for k, s in self._sessions.items() if s.ends_at > now}
        while len(self._sessions) >= _MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].ends_at)]
        self._sessions[_digest(session.secret)] = session

    def _forget(self, secret: str) -> None:
        with self._lock:
            self._sessions.pop(_digest(secret), None)


def access_token(session: Session) -> str:
    """A token good for at least a minute. Raises edge.SignedOut when it cannot be renewed.

    One renewal at a time, over all consoles: a refresh token used twice revokes the whole family.
    """
    with session.lock:
        if not _is_fresh(session):
            _renew(session)
        return session.tokens.access


def _renew(session: Session) -> None:
    if not session.is_kept:
        session.tokens = edge.renew(session.tokens)
        return
    for _ in range(_RENEWAL_LOOKS):
        row = session_rows.find(session.secret)
        if row is None:
            raise edge.SignedOut
        _take(session, row)
        if _is_fresh(session):
            return
        if session_rows.claim_renewal(session.secret, session.version):
            break
        time.sleep(_RENEWAL_PAUSE_S)  # another console is at it
    else:
        raise edge.Unreachable("Your session is being renewed: try again in a moment.")
    try:
        tokens = edge.renew(session.tokens)
    except (edge.Unreachable, edge.Problem):
        session_rows.drop_claim(session.secret, session.version)
        raise
    if not session_rows.renew(session.secret, tokens, session.version):
        edge.log_out(tokens)
        raise edge.SignedOut
    session.tokens, session.version = tokens, session.version + 1


def _is_fresh(session: Session) -> bool:
    return session.tokens.expires_at - time.time() >= _RENEW_BEFORE_S


def _take(session: Session, row: Row) -> None:
    """The table's tokens, when another console has renewed them."""
    if row.version > session.version:
        session.tokens, session.version = row.tokens, row.version


def _row(session: Session) -> Row:
    return Row(session.name, session.email, session.role, session.tokens,
               session.ends_at, session.version)  # fmt: skip


def _asked(email: str, password: str) -> tuple[dict[str, object], edge.Tokens]:
    """Every answer is an entry, but those after too many: they would fill the log."""
    shown = email[:_MAX_EMAIL]
    try:
        user, tokens = edge.log_in(email, password)
    except edge.Problem as problem:
        if problem.status != 429:
            audit.note(shown, "unknown", "sign-in", "console", "refused", _sentence(problem))
        raise Refused(_sentence(problem)) from None
    except edge.Unreachable as problem:
        audit.note(shown, "unknown", "sign-in", "console", "failed", str(problem))
        raise
    role = str(user.get("role") or "shopper")
    if role not in STAFF:
        edge.log_out(tokens)
        audit.note(shown, role, "sign-in", "console", "refused", "not an account of the console")
        raise Refused(
            "This is a shopper's account. The console is for analysts and operators; "
            "ask an operator for access."
        )
    return {**user, "role": role, "email": str(user.get("email") or email)}, tokens


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _sentence(problem: edge.Problem) -> str:
    if problem.status == 401:
        return "The e-mail or the password is not right."
    if problem.status == 429:
        return "Too many attempts. Wait a minute, then try again."
    if problem.status == 422:
        return "That is not a valid e-mail and password."
    return problem.detail


STORE = SessionStore()
