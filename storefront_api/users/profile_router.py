"""HTTP routes of one's own account under `/api/users/me`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pipeline.contracts.ids import ULID_PATTERN
from storefront_api.problems import documented
from storefront_api.security import CurrentPrincipal
from storefront_api.users.domain import PostalAddress, RefreshToken, SavedAddress
from storefront_api.users.export import Export, export_of
from storefront_api.users.schemas import (
    AccountDeletion,
    Address,
    AddressPage,
    AddressWithId,
    Profile,
    ProfileChange,
)
from storefront_api.users.web import (
    COOKIE_PATH,
    RefreshCookie,
    TheSignIns,
    TheUsers,
    TheVisitor,
    UlidPath,
    forget_cookie,
    hashed,
)

router = APIRouter(prefix="/me", tags=["profile"])


@router.get("", responses=documented(401, 503))
def get_me(users: TheUsers, principal: CurrentPrincipal, response: Response) -> Profile:
    response.headers["Cache-Control"] = "no-store"
    return Profile.of(users.get_user(principal.user_id))


@router.patch("", responses=documented(400, 401, 413, 503))
def change_me(body: ProfileChange, users: TheUsers, principal: CurrentPrincipal) -> Profile:
    return Profile.of(users.rename(principal.user_id, body.name))


@router.delete("", status_code=204, responses=documented(400, 401, 403, 409, 413, 429, 503))
async def delete_me(
    body: AccountDeletion,
    users: TheUsers,
    sign_ins: TheSignIns,
    principal: CurrentPrincipal,
    visitor: TheVisitor,
    request: Request,
    response: Response,
) -> None:
    """Delete the account, with the password as proof; there is no way back.

    Personal data is erased, within seconds; orders stay in the books without it, and those still
    under way keep their address until they have arrived.
    """

    def confirm_and_delete() -> None:
        users.delete(sign_ins.confirm(principal.user_id, body.password, "password", visitor))

    await hashed(confirm_and_delete)
    forget_cookie(request, response)


@router.get("/export", responses=documented(401, 503))
def export_me(
    users: TheUsers,
    sign_ins: TheSignIns,
    principal: CurrentPrincipal,
    request: Request,
    response: Response,
    token: RefreshCookie = None,
) -> Export:
    """Everything the shop keeps of a person, as one document to take away."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    current = RefreshToken.parse(token)
    return export_of(
        principal.user_id,
        users,
        sign_ins,
        request.app.state.order_history,
        current.family_id if current else None,
    )


@router.get("/addresses", responses=documented(401, 503))
def list_addresses(
    users: TheUsers,
    principal: CurrentPrincipal,
    response: Response,
    page_size: Annotated[int, Query(ge=1, le=50)] = 20,
    cursor: Annotated[str | None, Query(pattern=ULID_PATTERN)] = None,
) -> AddressPage:
    """Oldest first."""
    response.headers["Cache-Control"] = "no-store"
    saved, following = users.list_addresses(principal.user_id, page_size, cursor)
    return AddressPage(items=[AddressWithId.of(each) for each in saved], next_cursor=following)


@router.post("/addresses", status_code=201, responses=documented(400, 401, 409, 413, 503))
def add_address(
    body: Address, users: TheUsers, principal: CurrentPrincipal, response: Response
) -> AddressWithId:
    saved = users.add_address(principal.user_id, PostalAddress(**body.model_dump()))
    response.headers["Location"] = f"{COOKIE_PATH}/me/addresses/{saved.address_id}"
    return AddressWithId.of(saved)


@router.put("/addresses/{address_id}", responses=documented(400, 401, 404, 413, 503))
def change_address(
    address_id: UlidPath, body: Address, users: TheUsers, principal: CurrentPrincipal
) -> AddressWithId:
    """The whole address anew; of two who edit it at once, the later one's stands."""
    saved = SavedAddress(address_id, PostalAddress(**body.model_dump()))
    return AddressWithId.of(users.change_address(principal.user_id, saved))


@router.delete("/addresses/{address_id}", status_code=204, responses=documented(401, 404, 503))
def remove_address(address_id: UlidPath, users: TheUsers, principal: CurrentPrincipal) -> None:
    users.remove_address(principal.user_id, address_id)
