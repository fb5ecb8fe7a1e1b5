"""Bodies of requests and answers, as OpenAPI shows them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.contracts.categories import SEPARATOR
from pipeline.contracts.money import MAX_MINOR, Currency, Money
from storefront_api.catalog.domain import MAX_LEVELS, MAX_VARIANTS, Sort
from storefront_api.text import to_line

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"


def _prose(text: str) -> str:
    to_line(text.replace("\n", " ").replace("\t", " ").replace("\r", " ") + ".")
    return text.strip()


def _level(text: str) -> str:
    if SEPARATOR.strip() in text:
        raise ValueError(f"give each level as an item of its own, without {SEPARATOR.strip()!r}")
    return to_line(text)


Id = Annotated[str, Field(pattern=ID_PATTERN)]
Name = Annotated[str, Field(max_length=60), AfterValidator(to_line)]
Level = Annotated[str, Field(max_length=60), AfterValidator(_level)]


class Sent(BaseModel):
    """What a client sends: a field nobody knows is a mistake, and is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListQuery(BaseModel):
    """`q` searches titles, categories, brands, tags and descriptions; typos are forgiven."""

    model_config = ConfigDict(frozen=True)

    q: str = Field(default="", max_length=200, examples=["hiking boots"])
    category: str = Field(
        default="", max_length=200, description="A path and all below it", examples=["Outdoor"]
    )
    min_price: int | None = Field(default=None, ge=0, le=MAX_MINOR, description="Minor units")
    max_price: int | None = Field(default=None, ge=0, le=MAX_MINOR, description="Inclusive")
    in_stock: bool | None = None
    featured: bool | None = None
    option: list[Annotated[str, Field(max_length=130, pattern=r"^[^:]+:.+$")]] = Field(
        default_factory=list,
        max_length=20,
        description="`<option>:<value>`; values of one option widen, options narrow",
        examples=[["colour:black", "size:M", "size:L"]],
    )
    sort: Sort = Sort.RELEVANCE
    page_size: int = Field(default=24, ge=1, le=100)
    cursor: str = Field(default="", max_length=512, description="`next_cursor` of the page before")


class Price(BaseModel):
    """A price that can be asked for: above zero."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount_minor: int = Field(gt=0, le=100_000_000, strict=True, examples=[2899])
    currency: Currency


class VariantBody(Sent):
    sku: Id
    options: dict[Name, Name] = Field(
        default_factory=dict, max_length=5, examples=[{"colour": "black", "size": "M"}]
    )
    price: Price
    stock: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        strict=True,
        description="Units received. Of a SKU that exists it is ignored: adjust its stock instead",
    )


class ProductBody(Sent):
    product_id: Id | None = Field(default=None, description="Made up when absent")
    title: Annotated[str, Field(max_length=200), AfterValidator(to_line)]
    description: Annotated[str, Field(max_length=10_000), AfterValidator(_prose)] = ""
    category: list[Level] = Field(
        min_length=1, max_length=MAX_LEVELS, examples=[["Outdoor", "Footwear"]]
    )
    brand: Name | None = None
    image_url: (
        Annotated[str, Field(max_length=300, pattern=r"^/images/[A-Za-z0-9/._-]+$")] | None
    ) = Field(default=None, examples=["/images/outdoor/eshop-1.webp"])
    tags: list[Name] = Field(default_factory=list, max_length=20)
    featured: bool = False
    variants: list[VariantBody] = Field(min_length=1, max_length=MAX_VARIANTS)


class AdjustmentBody(Sent):
    delta: int = Field(ge=-1_000_000, le=1_000_000, strict=True, examples=[-2])
    reason: Annotated[str, Field(max_length=200), AfterValidator(to_line)]
    kind: Literal["adjusted", "received"] = Field(
        default="adjusted", description="`received`: a delivery, so `delta` is above zero"
    )


class Card(BaseModel):
    """A product in a list."""

    product_id: str = Field(examples=["OD-001"])
    title: str = Field(examples=["Wanderer Black Hiking Boots"])
    price: Money = Field(description="The cheapest variant's")
    image_url: str | None = Field(examples=["/images/outdoor/eshop-1.webp"])
    rating: float | None = Field(ge=0, le=5, examples=[4.7])
    review_count: int = Field(ge=0)
    in_stock: bool
    category: list[str] = Field(examples=[["Outdoor", "Footwear"]])


class CategoryCount(BaseModel):
    value: str = Field(examples=["Clothing > Dresses"])
    count: int


class PriceCount(BaseModel):
    """`from_minor` and `to_minor` are inclusive: use them as `min_price` and `max_price`."""

    value: str = Field(examples=["2501-5000"])
    from_minor: int
    to_minor: int | None = Field(description="null: no upper end")
    count: int


class OptionCount(BaseModel):
    value: str = Field(examples=["black"])
    count: int


class OptionCounts(BaseModel):
    name: str = Field(examples=["colour"])
    values: list[OptionCount]


class Facets(BaseModel):
    """Counts under all filters but the facet's own."""

    category: list[CategoryCount]
    price: list[PriceCount]
    in_stock: int
    options: list[OptionCounts]


class Suggestion(BaseModel):
    text: str
    kind: str = Field(description="`product`, `category`, `brand` or `query`")
    product_id: str | None = None


class ProductPage(BaseModel):
    items: list[Card]
    facets: Facets
    suggestions: list[Suggestion] = Field(
        description="What to look for instead, when a text finds nothing; else empty"
    )
    total: int
    next_cursor: str | None
    took_ms: float


class Variant(BaseModel):
    sku: str = Field(examples=["OD-001-9"])
    options: dict[str, str] = Field(examples=[{"size": "UK 9"}])
    price: Money
    available: int


class ProductDetail(Card):
    description: str
    images: list[str]
    brand: str | None
    featured: bool
    status: str = Field(description="`active`, or `archived`: not for sale any more")
    version: int = Field(description="Counts the edits; the ETag begins with it")
    variants: list[Variant]


class CardList(BaseModel):
    items: list[Card]
    next_cursor: None = None


class SuggestionList(BaseModel):
    items: list[Suggestion]
    next_cursor: None = None


class CategoryNode(BaseModel):
    value: str = Field(examples=["Clothing > Dresses"], description="What the list filters by")
    name: str = Field(examples=["Dresses"])
    count: int
    children: list["CategoryNode"]


class CategoryTree(BaseModel):
    items: list[CategoryNode]
    next_cursor: None = None


class Stock(BaseModel):
    """`received = available + held + sold`."""

    sku: str
    product_id: str
    received: int
    available: int
    held: int
    sold: int
