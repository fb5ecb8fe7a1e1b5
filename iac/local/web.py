"""The built storefront and its pictures, published to the web bucket."""

from iac.local.ports import Addresses


def publish(at: Addresses) -> str:
    """Upload what changed. Returns a sentence."""
    return "storefront: nothing to publish yet"
