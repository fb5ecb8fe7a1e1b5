"""Names of everything on AWS, from the stage. `iac/topology/` uses the same short names."""

from dataclasses import dataclass

# In the lake's bucket, gzipped lines: when it was taken, then each product as its table's item.
CATALOGUE_SNAPSHOT = "catalogue/snapshot-v1.json.gz"


@dataclass(frozen=True, slots=True)
class Names:
    """`Names("local").table("orders")` is `has-local-orders`."""

    stage: str

    def of(self, short: str) -> str:
        return f"has-{self.stage}-{short}"

    def table(self, short: str) -> str:
        return self.of(short)

    def queue(self, short: str) -> str:
        return self.of(short)

    def function(self, short: str) -> str:
        return self.of(short)

    def secret(self, short: str) -> str:
        return self.of(short)

    @property
    def events_stream(self) -> str:
        return self.of("events")

    @property
    def orders_topic(self) -> str:
        return self.of("orders")

    @property
    def lake_bucket(self) -> str:
        return self.of("lake")

    @property
    def web_bucket(self) -> str:
        return self.of("web")

    @property
    def glue_database(self) -> str:
        return f"has_{self.stage}"
