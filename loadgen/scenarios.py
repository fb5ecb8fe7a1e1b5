"""What a load run is made of; data only, read by the locustfile, the runner and the console."""

from dataclasses import dataclass
from enum import StrEnum


class Scenario(StrEnum):
    NORMAL = "normal"
    PEAK = "peak"
    STRESS = "stress"
    FLASH_SALE = "flash-sale"


@dataclass(frozen=True, slots=True)
class Shape:
    """A closed load: `users` at most, started at `spawn_rate_per_s`, thinking between requests."""

    users: int
    spawn_rate_per_s: float
    think_s: tuple[float, float]
    buyer_share: float


SHAPES = {
    Scenario.NORMAL: Shape(20, 5, (1.0, 3.0), 0.2),
    Scenario.PEAK: Shape(200, 20, (1.5, 2.5), 0.25),
    Scenario.STRESS: Shape(400, 40, (0.5, 1.0), 0.25),
    Scenario.FLASH_SALE: Shape(100, 50, (0.5, 1.5), 0.8),
}
MAX_USERS = 2_000
MAX_DURATION_S = 1_800
