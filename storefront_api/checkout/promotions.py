"""Use cases of operators: look at a promotion code, set its terms, end it."""

from dataclasses import replace

from pipeline.contracts.audit import Audit
from pipeline.contracts.errors import NotFound, PreconditionFailed, PreconditionRequired
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from storefront_api.changes import told
from storefront_api.checkout.ports import Place, PromotionTerms
from storefront_api.checkout.promotion import Offer, Promotion, facts_of

log = get_logger()


class Promotions:
    def __init__(self, store: PromotionTerms, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    def get(self, code: str) -> Offer:
        """Raises NotFound."""
        offer = self._store.find(code)
        if offer is None:
            raise NotFound(f"There is no promotion code {code}", code=code)
        return offer

    def list_(self, page_size: int, after: Place | None) -> tuple[list[Offer], Place | None]:
        """One page of codes, the last edited first, and where the next begins."""
        return self._store.list_offers(page_size, after)

    def put(self, wanted: Promotion, seen: str | None, operator: str) -> tuple[Offer, bool]:
        """Make a code, or give it other terms; its uses stay counted.

        Args: `seen` is the version that the edit was made from, `*` for any, None for a new code.
        Returns: (the code as it stands, whether it is new).
        Raises: PreconditionRequired, PreconditionFailed.
        """
        before = self._store.find(wanted.code)
        if before is None and seen is not None:
            raise PreconditionFailed(f"There is no promotion code {wanted.code}")
        if before is not None:
            _check(before.promotion, seen)
        terms = replace(wanted, version=self._new_id())
        action = "promotion.edited" if before else "promotion.created"
        changes = told(facts_of(before.promotion) if before else None, facts_of(terms))
        audit = self._audit(operator, action, terms.code, changes)
        if not self._store.put(terms, before.promotion.version if before else None, audit):
            raise PreconditionFailed("Somebody changed this code at the same moment")
        log.info("promotion.put", code=terms.code, kind=terms.kind.value, by=operator)
        return (replace(before, promotion=terms), False) if before else (Offer(terms), True)

    def delete(self, code: str, seen: str | None, operator: str) -> None:
        """From now on nobody can order with it; orders that did keep what they had.

        Raises: NotFound, PreconditionRequired, PreconditionFailed.
        """
        terms = self.get(code).promotion
        _check(terms, seen)
        audit = self._audit(operator, "promotion.ended", code, "")
        if not self._store.delete(code, terms.version, audit):
            raise PreconditionFailed("Somebody changed this code at the same moment")
        log.info("promotion.deleted", code=code, by=operator)

    def _audit(self, operator: str, action: str, code: str, detail: str) -> Audit:
        return Audit(self._new_id(), to_iso_z(self._clock()), operator, action, code, detail)


def _check(terms: Promotion, seen: str | None) -> None:
    if seen is None:
        raise PreconditionRequired(
            f"{terms.code} exists: send its ETag as If-Match",
            errors=[{"field": "If-Match", "message": "required"}],
        )
    if seen not in ("*", terms.version):
        raise PreconditionFailed(
            "Somebody changed this code since you read it",
            errors=[{"field": "If-Match", "message": "not the current ETag"}],
        )
