"""The page that shows a service's OpenAPI document, with Swagger UI from this machine.

FastAPI's own page loads it from a public CDN: of no use offline, and a stranger's script beside an
operator's token. Powertools brings a copy of version 5; all scripts are files, so that a policy of
`script-src 'self'` holds.
"""

from html import escape
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/assets/swagger-ui.min.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/assets/swagger-ui-bundle.min.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""


def _assets() -> Path:
    package = find_spec("aws_lambda_powertools")
    assert package is not None and package.origin is not None, "powertools is a dependency"
    return Path(package.origin).parent / "event_handler" / "openapi" / "swagger_ui"


def install(app: FastAPI, prefix: str) -> None:
    """Serve `<prefix>/docs` and what it loads; none of it is part of the API itself."""
    page = _PAGE.format(title=escape(app.title))

    @app.get(f"{prefix}/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page)

    @app.get(f"{prefix}/docs/start.js", include_in_schema=False)
    async def docs_start() -> Response:
        return Response(_START, media_type="text/javascript")

    app.mount(f"{prefix}/docs/assets", StaticFiles(directory=_assets()))
