"""Categories for the log's products, DERIVED from words in their descriptions.

The order log has no categories. The first row of the table with a word of the description decides;
what no row knows is "Gifts & novelties". `docs/data.md` marks them as derived.
"""

import re
from functools import lru_cache

ROOT = "Archive"
OTHER = "Gifts & novelties"

_WORDS: tuple[tuple[str, str], ...] = (
    ("Charges & adjustments", "POSTAGE CARRIAGE MANUAL FEE CHARGES DISCOUNT ADJUST SAMPLES DEBT"),
    ("Christmas", "CHRISTMAS XMAS ADVENT REINDEER SANTA SNOWMAN SNOWFLAKE STOCKING NOEL"),
    ("Bags & travel", "BAG BAGS SHOPPER SUITCASE LUGGAGE PASSPORT PURSE TRAVEL"),
    ("Lunch & picnic", "LUNCH PICNIC SNACK FLASK"),
    (
        "Kitchen & dining",
        "MUG MUGS CUP CUPS TEACUP TEAPOT TEA COFFEE BOWL BOWLS PLATE PLATES CUTLERY SPOON SPOONS "
        "TRAY BAKING CAKE CAKES CAKESTAND CASES PANTRY JAM JAR JARS KITCHEN APRON RECIPE EGG JUG "
        "NAPKINS DOILY COASTER COASTERS TOAST BREAD BISCUIT COOKIE GLASSES TUMBLER PLACEMATS OVEN",
    ),
    ("Candles & lighting", "CANDLE CANDLES T-LIGHT LANTERN LIGHT LIGHTS LAMP INCENSE CANDLESTICK"),
    ("Clocks", "CLOCK CLOCKS WATCH"),
    (
        "Party & celebration",
        "PARTY BUNTING BIRTHDAY GARLAND BALLOON BALLOONS CONFETTI WEDDING EASTER VALENTINE",
    ),
    (
        "Paper & stationery",
        "CARD CARDS WRAP WRAPPING PAPER NOTEBOOK PENCIL PENCILS PEN PENS JOURNAL STICKER STICKERS "
        "STAMP STAMPS RIBBON RIBBONS TISSUES TISSUE CHALK CHALKBOARD MEMO ENVELOPE CALENDAR TAPE",
    ),
    (
        "Toys & children",
        "CHILDRENS GIRL BOY BABY TOY TOYS DOLL DOLLY PLAYHOUSE GAME GAMES PUZZLE JIGSAW SPACEBOY "
        "FELTCRAFT SOLDIER SKITTLES DOMINO DOMINOES SKIPPING COLOURING PAINT SPINNING",
    ),
    (
        "Jewellery & accessories",
        "NECKLACE BRACELET EARRINGS RING BROOCH BANGLE UMBRELLA SCARF HAIR KEYRING KEY-CHAIN "
        "CHARM HANDBAG GLOVES",
    ),
    ("Garden", "GARDEN GARDENERS PLANT HERB FLOWER WATERING BIRD BIRDHOUSE PARASOL TROWEL PEAT"),
    ("Bath & wellbeing", "SOAP BATH BATHROOM TOWEL TOILET PLASTERS HOT-WATER WARMER BOTTLE"),
    (
        "Storage",
        "BOX BOXES TIN TINS STORAGE DRAWER DRAWERS BASKET BASKETS CABINET CRATE TRINKET RACK HOOK "
        "HOOKS HANGER HANGERS",
    ),
    (
        "Home decoration",
        "SIGN FRAME FRAMES MIRROR WALL CUSHION QUILT DOORMAT HEART HEARTS DECORATION HANGING KNOB "
        "KNOBS VASE ART CURTAIN RUG THROW ORNAMENT METAL WICKER WOODEN BLOCK LETTERS",
    ),
)
_BY_WORD: dict[str, int] = {}
for _position, (_, _words) in enumerate(_WORDS):
    for _word in _words.split():
        _BY_WORD.setdefault(_word, _position)

_CODES = {"POST", "DOT", "M", "D", "C2", "S", "B", "AMAZONFEE", "BANK CHARGES", "CRUK", "m"}


@lru_cache(maxsize=8_192)
def category_of(stock_code: str, description: str) -> str:
    """The derived category of one product of the log."""
    if stock_code in _CODES:
        return _WORDS[0][0]
    words = re.split(r"[^A-Z0-9-]+", description.upper())
    return min(
        ((_BY_WORD[word], _WORDS[_BY_WORD[word]][0]) for word in words if word in _BY_WORD),
        default=(0, OTHER),
    )[1]
