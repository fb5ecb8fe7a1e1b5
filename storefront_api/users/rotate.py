"""`python -m storefront_api.users.rotate`: sign access tokens with a new key.

Tokens of the old key stay good until they expire, and nobody is signed out. Safe to repeat; one
at a time, by a lease. `--compromised` voids every other key within five minutes instead.
"""

import argparse
import sys
import time

from pipeline.runtime import aws, clock
from pipeline.runtime.lease import Lease
from storefront_api.security import MAX_KEYS_AGE_S
from storefront_api.users.settings import UsersSettings
from storefront_api.users.signing_keys import KeyStore, Rotation
from storefront_api.users.tokens import KEY_AGE_S

# Longer than a verifier keeps itself from looking again, for a key it does not know.
_SETTLE_S = 5.0
_LEASE_S = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m storefront_api.users.rotate")
    parser.description = __doc__
    parser.add_argument(
        "--settle-s", type=float, default=_SETTLE_S,
        help="between publishing the new key and signing with it; a gateway in front that checks "
        "tokens itself may keep keys for hours, and needs as long",
    )  # fmt: skip
    parser.add_argument("--compromised", action="store_true", help="void all other keys")
    given = parser.parse_args()
    settings = UsersSettings()
    lease = Lease(aws.table(settings.names.table("ops")), "key-rotation")
    owner = clock.new_id()
    if not lease.take(owner, clock.now(), int(given.settle_s) + _LEASE_S):
        sys.stderr.write("Another rotation is under way.\n")
        return 1
    try:
        # Replicas go on signing with a key for as long as they may keep it.
        life_s = settings.token_ttl_s + KEY_AGE_S + MAX_KEYS_AGE_S
        rotation = Rotation(KeyStore(settings.names), clock.now, time.sleep, life_s)
        kid, counting = rotation.rotate(given.settle_s, is_compromised=given.compromised)
    finally:
        lease.drop(owner)
    sys.stdout.write(f"{kid} signs now; tokens of {', '.join(counting)} are good.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
