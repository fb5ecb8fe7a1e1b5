"""The users service: `uvicorn storefront_api.users.main:app`."""

import secrets

from fastapi import FastAPI

from pipeline.contracts import keys
from pipeline.runtime import aws, clock
from pipeline.runtime.dynamo import to_item
from storefront_api.app import create_app
from storefront_api.security import keys_from_secret
from storefront_api.users import mail_router, profile_router, router
from storefront_api.users.codes import CodeStore
from storefront_api.users.mailbox import LocalMailbox, SesMailbox
from storefront_api.users.orders_of_user import OrderHistory
from storefront_api.users.passwords import Passwords
from storefront_api.users.recovery import Recovery
from storefront_api.users.service import Users
from storefront_api.users.sessions import SessionStore
from storefront_api.users.settings import UsersSettings
from storefront_api.users.sign_in import SignIns
from storefront_api.users.store import UserStore
from storefront_api.users.tokens import AccessTokens, PublishedKeys


def build_app(settings: UsersSettings) -> FastAPI:
    names = settings.names
    store, passwords = UserStore(names), Passwords()
    tokens = AccessTokens(settings, clock.now, clock.new_id)
    table = names.table("users")

    def check_table() -> None:
        aws.client("dynamodb").get_item(TableName=table, Key=to_item(keys.user("NOBODY")))

    app = create_app(
        "users",
        "Users",
        settings,
        [router.router, profile_router.router, mail_router.router],
        checks={"users": check_table, "keys": tokens.check},
    )
    mailbox = LocalMailbox(names, clock.now, clock.new_id) if settings.mailbox else None
    post = mailbox or SesMailbox(settings.mail_from, settings.edge_url)
    app.state.users = Users(store, passwords, clock.now, clock.new_id)
    app.state.sign_ins = SignIns(
        store, SessionStore(names), passwords, tokens, clock.now, clock.new_id, _new_secret
    )
    app.state.recovery = Recovery(store, CodeStore(names), post, passwords, clock.now, _new_secret)
    app.state.mailbox = mailbox
    app.state.order_history = OrderHistory(names)
    app.state.published_keys = PublishedKeys(keys_from_secret(settings))
    return app


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


app = build_app(UsersSettings())
