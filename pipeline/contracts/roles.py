"""Who a person is to the shop; the role is a claim of the access token."""

from typing import Literal, get_args

Role = Literal["shopper", "analyst", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
# Who may read reports and sign in to the console.
STAFF: tuple[Role, ...] = ("analyst", "operator", "admin")
