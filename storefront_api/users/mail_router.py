"""HTTP routes behind the links in letters, and the mailbox of a laptop, under `/api/users`."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response

from pipeline.contracts.errors import NotFound
from pipeline.contracts.ids import ULID_PATTERN
from storefront_api.problems import documented
from storefront_api.security import CurrentPrincipal
from storefront_api.users.mailbox import LocalMailbox
from storefront_api.users.schemas import (
    EmailConfirmation,
    LetterPage,
    LetterView,
    PasswordReset,
    ResetRequest,
)
from storefront_api.users.web import (
    TheRecovery,
    TheVisitor,
    afterwards,
    hashed,
)

router = APIRouter(tags=["mail"])


@router.post("/verification", status_code=202, responses=documented(401, 409, 429, 503))
def send_verification(recovery: TheRecovery, principal: CurrentPrincipal) -> None:
    """Send the letter that confirms the e-mail address once more."""
    recovery.send_verification(principal.user_id)


@router.post("/verification/confirm", status_code=204, responses=documented(400, 413, 503))
def confirm_email(body: EmailConfirmation, recovery: TheRecovery) -> None:
    """Confirm an e-mail address with the code of the letter; on any device, signed in or not."""
    recovery.verify(body.code)


@router.post("/password-reset", status_code=202, responses=documented(400, 413, 429, 503))
def ask_for_reset(
    body: ResetRequest, recovery: TheRecovery, visitor: TheVisitor, tasks: BackgroundTasks
) -> None:
    """Send a letter to choose a new password, if there is an account with this e-mail.

    Whether there is one shows neither in the answer nor in its time.
    """
    recovery.admit_reset(visitor.network)
    afterwards(tasks, recovery.send_reset, body.email)


@router.post("/password-reset/confirm", status_code=204, responses=documented(400, 413, 503))
async def reset_password(
    body: PasswordReset, recovery: TheRecovery, tasks: BackgroundTasks
) -> None:
    """Set a new password with the code of the letter; every session of the account ends."""
    user = await hashed(lambda: recovery.reset_password(body.code, body.new_password))
    afterwards(tasks, recovery.tell_of_new_password, user)


@router.get("/mailbox", responses=documented(404, 503))
def list_letters(
    request: Request,
    response: Response,
    page_size: Annotated[int, Query(ge=1, le=50)] = 20,
    cursor: Annotated[str | None, Query(pattern=ULID_PATTERN)] = None,
) -> LetterPage:
    """The letters this shop has sent, newest first; only where HAS_MAILBOX=1 keeps them at home."""
    response.headers["Cache-Control"] = "no-store"
    mailbox: LocalMailbox | None = request.app.state.mailbox
    if mailbox is None:
        raise NotFound("Letters of this shop go out by e-mail")
    received, following = mailbox.list_letters(page_size, cursor)
    shop_url = request.app.state.settings.edge_url
    items = [LetterView.of(letter, shop_url) for letter in received]
    return LetterPage(items=items, next_cursor=following)
