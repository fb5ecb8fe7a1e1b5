"""Bodies of the console's own routes: a few bytes, and nobody has signed in yet."""

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def read_text(request: Request, most: int) -> str:
    """ASCII; raises HTTPException 413 once it is longer than `most` bytes, and reads no further."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise HTTPException(413)
    return body.decode("ascii", "replace")
