"""The built storefront and its pictures, published to the web bucket."""

import hashlib
import mimetypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from iac.local.aws import Clients
from iac.local.ports import ROOT, Addresses
from pipeline.contracts.names import Names

_DIST = ROOT / "client_web" / "dist"
_SEED = ROOT / "storefront_api" / "catalog" / "seed"
_THREADS = 8
# What this machine's mimetypes may not know.
_TYPES = {
    ".webp": "image/webp",
    ".webmanifest": "application/manifest+json",
    ".js": "text/javascript",
}


@dataclass(frozen=True, slots=True)
class WebFile:
    """A local file and the key under which the edge finds it."""

    path: Path
    key: str

    @property
    def cache_control(self) -> str:
        """Hashed names never change their content; the page that names them always may."""
        if self.key.startswith("assets/"):
            return "public, max-age=31536000, immutable"
        if self.key.startswith("images/"):
            return "public, max-age=86400"
        return "no-cache"

    @property
    def content_type(self) -> str:
        known = _TYPES.get(self.path.suffix) or mimetypes.guess_type(self.path.name)[0]
        return known or "application/octet-stream"


def web_files() -> Iterator[WebFile]:
    """The storefront's build, and `seed/<collection>/images/*` as `images/<collection>/*`."""
    for path in sorted(_DIST.rglob("*")):
        if path.is_file():
            yield WebFile(path, path.relative_to(_DIST).as_posix())
    for folder in sorted(_SEED.glob("*/images")):
        for path in sorted(folder.iterdir()):
            yield WebFile(path, f"images/{folder.parent.name}/{path.name}")


def publish(at: Addresses) -> str:
    """Upload what is new or differs by MD5. Returns a sentence for the progress.

    Nothing is removed: whoever has an older page open still finds the assets it names.
    """
    s3, bucket = Clients(at)("s3"), Names(at.stage).web_bucket
    present = {
        item["Key"]: item["ETag"].strip('"')
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for item in page.get("Contents", [])
    }

    def upload(file: WebFile) -> bool:
        content = file.path.read_bytes()
        if present.get(file.key) == hashlib.md5(content, usedforsecurity=False).hexdigest():
            return False
        s3.put_object(
            Bucket=bucket,
            Key=file.key,
            Body=content,
            ContentType=file.content_type,
            CacheControl=file.cache_control,
        )
        return True

    with ThreadPoolExecutor(_THREADS) as pool:
        uploaded = list(pool.map(upload, web_files()))
    return f"storefront: {sum(uploaded)} of {len(uploaded)} files published"
