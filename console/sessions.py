"""Who is signed in: kept on the server, found again by a random id in an HttpOnly cookie.

Tokens never reach the browser, neither in the page nor in the address. Signing in hands the page
a ticket (single use, one minute); the page posts it to `/session`, whose answer sets the cookie.
"""

import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from console.queries import edge

SESSION_TTL_S = 12 * 3600
TICKET_TTL_S = 60
_RENEW_BEFORE_S = 60
_MAX_SESSIONS = 500
ROLES = ("analyst", "operator", "admin")


class Refused(Exception):
    """The sign-in is refused; the text is for the person."""


@dataclass
class Session:
    """One signed-in person. `secret` is what the cookie holds; the store knows only its hash."""

    name: str
    email: str
    role: str
    tokens: edge.Tokens
    ends_at: float = field(default_factory=lambda: time.time() + SESSION_TTL_S)
    lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def is_operator(self) -> bool:
        return self.role in ("operator", "admin")


class SessionStore:
    """Sessions and tickets of this process; bounded, so that nobody can fill it."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._tickets: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def sign_in(self, email: str, password: str) -> tuple[str, str]:
        """(secret of the session, ticket). Raises Refused, or edge.Unreachable."""
        try:
            user, tokens = edge.log_in(email, password)
        except edge.Problem as problem:
            raise Refused(_sentence(problem)) from None
        role = str(user.get("role") or "shopper")
        if role not in ROLES:
            edge.log_out(tokens)
            raise Refused(
                "This is a shopper's account. The console is for analysts and operators; "
                "ask an operator for access."
            )
        session = Session(str(user.get("name") or email), str(user.get("email")), role, tokens)
        secret, ticket = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        with self._lock:
            self._forget_old()
            self._sessions[_digest(secret)] = session
            self._tickets[ticket] = (secret, time.time() + TICKET_TTL_S)
        return secret, ticket

    def claim(self, ticket: str) -> str | None:
        """The secret a ticket stands for, once."""
        with self._lock:
            secret, ends_at = self._tickets.pop(ticket, ("", 0.0))
        return secret if ends_at > time.time() else None

    def is_waiting(self, ticket: str) -> bool:
        return ticket in self._tickets

    def find(self, secret: str | None) -> Session | None:
        session = self._sessions.get(_digest(secret)) if secret else None
        return session if session and session.ends_at > time.time() else None

    def sign_out(self, secret: str) -> None:
        with self._lock:
            session = self._sessions.pop(_digest(secret), None)
        if session:
            edge.log_out(session.tokens)

    def _forget_old(self) -> None:
        now = time.time()
        self._tickets = {k: v for k, v in self._tickets.items() if v[1] > now}
        self._sessions = {k: s for k, s in self._sessions.items() if s.ends_at > now}
        while len(self._sessions) >= _MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].ends_at)]


def access_token(session: Session) -> str:
    """A token good for at least a minute. Raises edge.SignedOut when it cannot be renewed.

    One renewal at a time: a refresh token used twice revokes the whole family.
    """
    with session.lock:
        if session.tokens.expires_at - time.time() < _RENEW_BEFORE_S:
            session.tokens = edge.renew(session.tokens)
        return session.tokens.access


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
