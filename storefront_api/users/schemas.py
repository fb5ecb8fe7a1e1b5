"""Bodies of the HTTP routes."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from storefront_api.users.domain import MAX_EMAIL, MAX_PASSWORD, MIN_PASSWORD, SavedAddress, User

Email = Annotated[str, Field(max_length=MAX_EMAIL, examples=["ada@example.com"])]
Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Ada Lovelace"])]
Line = Annotated[str, Field(min_length=1, max_length=200, examples=["12 St James's Square"])]


class Strict(BaseModel):
    """A misspelt field is refused by name; nobody can give themselves a role."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Registration(Strict):
    email: Email
    password: Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD, repr=False)]
    name: Name


class Credentials(Strict):
    email: Email
    password: Annotated[str, Field(min_length=1, max_length=1_024, repr=False)]


class ProfileChange(Strict):
    name: Name


class Profile(BaseModel):
    user_id: str
    email: str
    name: str
    role: Literal["shopper", "analyst", "operator", "admin"]

    @classmethod
    def of(cls, user: User) -> "Profile":
        return cls(user_id=user.user_id, email=user.email, name=user.name, role=user.role)


class Registered(BaseModel):
    user: Profile


class Session(BaseModel):
    """`expires_in` is the life of the access token in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user: Profile


class Address(Strict):
    name: Name
    line1: Line
    line2: Annotated[str | None, Field(max_length=200)] = None
    city: Annotated[str, Field(min_length=1, max_length=100, examples=["London"])]
    postal_code: Annotated[str, Field(min_length=1, max_length=20, examples=["SW1Y 4JH"])]
    country: Annotated[str, Field(min_length=1, max_length=60, examples=["United Kingdom"])]


class AddressWithId(Address):
    address_id: str

    @classmethod
    def of(cls, saved: SavedAddress) -> "AddressWithId":
        lines = saved.address
        return cls(
            address_id=saved.address_id,
            name=lines.name,
            line1=lines.line1,
            line2=lines.line2,
            city=lines.city,
            postal_code=lines.postal_code,
            country=lines.country,
        )


class AddressPage(BaseModel):
    items: list[AddressWithId]
    next_cursor: str | None
