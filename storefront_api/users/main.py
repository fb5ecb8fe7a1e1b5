"""The users service: `uvicorn storefront_api.users.main:app`."""

import secrets

from fastapi import FastAPI

from pipeline.contracts import keys
from pipeline.runtime import aws, clock
from pipeline.runtime.dynamo import to_item
from storefront_api.app import create_app
from storefront_api.security import keys_from_secret
from storefront_api.users.passwords import Passwords
from storefront_api.users.router import router
from storefront_api.users.service import Users
from storefront_api.users.settings import UsersSettings
from storefront_api.users.store import UserStore
from storefront_api.users.tokens import AccessTokens, PublishedKeys


def build_app(settings: UsersSettings) -> FastAPI:
    store = UserStore(settings.names)
    tokens = AccessTokens(settings, clock.now, clock.new_id)
    table = settings.names.table("users")

    def check_table() -> None:
        aws.client("dynamodb").get_item(TableName=table, Key=to_item(keys.user("NOBODY")))

    app = create_app(
        "users", "Users", settings, [router], checks={"users": check_table, "keys": tokens.check}
    )
    app.state.users = Users(
        store, Passwords(), tokens, clock.now, clock.new_id, lambda: secrets.token_urlsafe(32)
    )
    app.state.published_keys = PublishedKeys(keys_from_secret(settings))
    return app


app = build_app(UsersSettings())
