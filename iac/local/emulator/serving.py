"""ministack is served by uvicorn, with the parser and the loop in C, as the services are.

By itself it has Hypercorn, whose HTTP in Python is a third of what a DynamoDB call costs here.
"""

import asyncio
from typing import Any

import hypercorn.asyncio
import uvicorn
import uvloop

from storefront_api.http_protocol import HttpProtocol


def complete() -> None:
    """Call once, before ministack serves."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    served: Any = hypercorn.asyncio
    served.serve = _serve


async def _serve(app: Any, config: Any) -> None:
    """In place of `hypercorn.asyncio.serve`; `config` is Hypercorn's."""
    (bind,) = config.bind
    host, _, port = bind.rpartition(":")
    await uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=int(port), http=HttpProtocol, ws="none", lifespan="on",
            timeout_keep_alive=int(config.keep_alive_timeout),
            timeout_graceful_shutdown=int(config.graceful_timeout),
            proxy_headers=False, server_header=False, date_header=False, access_log=False,
            log_config=None,
        )
    ).serve()  # fmt: skip
