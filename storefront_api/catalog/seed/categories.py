"""Names of the source's categories in the words of a British shop; at most three levels."""

ROOT = "Apparel & Accessories"

_FIRST = {
    "Jewelry": "Jewellery",
    "Handbags, Wallets & Cases": "Bags",
    "Clothing Accessories": "Accessories",
}
_SECOND = {
    "Clothing Tops": "Tops",
    "Pants": "Trousers",
    "Bandanas & Headties": "Bandanas",
    "Sleepwear & Loungewear": "Nightwear & Loungewear",
    "One-Pieces": "Jumpsuits & Playsuits",
    "Maternity Clothing": "Maternity",
    "Baby & Toddler Clothing": "Baby & Toddler",
    "Uniforms & Workwear": "Workwear",
    "Checkbook Covers": "Wallets & Card Holders",
    "Badge & Pass Holders": "Wallets & Card Holders",
    "Business Card Cases": "Wallets & Card Holders",
    "Wallets & Money Clips": "Wallets & Card Holders",
}
_THIRD = {
    "Sweaters": "Jumpers",
    "Pajamas": "Pyjamas",
    "Snow Pants & Suits": "Snow Trousers",
    "Rain Pants": "Rain Trousers",
    "Cargo Pants": "Cargo Trousers",
}
# A third level under these holds one product or two: the second says enough.
_FLAT = {"Maternity", "Baby & Toddler", "Workwear", "Wallets & Card Holders", "Socks"}

_OUTDOOR = {"Ski/boarding": "Ski & Snowboard", "Bags": "Backpacks & Bags"}


def fashion(path: str) -> tuple[str, ...]:
    """`Apparel & Accessories > Jewelry > Rings` -> ("Jewellery", "Rings")."""
    levels = [level.strip() for level in path.split(">")]
    if levels[0] == ROOT:
        levels = levels[1:]
    renamed = [
        names.get(level, level)
        for names, level in zip((_FIRST, _SECOND, _THIRD), levels, strict=False)
    ]
    if len(renamed) > 2 and renamed[1] in _FLAT:
        renamed = renamed[:2]
    return tuple(renamed)


def outdoor(category: str) -> tuple[str, ...]:
    return ("Outdoor", _OUTDOOR.get(category, category))
