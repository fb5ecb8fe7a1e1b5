"""The range a person looks at: whole UTC days, and the equally long one before it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["hour", "day", "month"]
PRESETS = {
    "today": "Today",
    "7d": "7 days",
    "28d": "28 days",
    "90d": "90 days",
    "12m": "12 months",
    "all": "All time",
    "custom": "Dates…",
}
DAYS = {"today": 1, "7d": 7, "28d": 28, "90d": 90, "12m": 365}
# Nothing the shop can know is older: the order log begins in December 2009.
EPOCH = date(2009, 1, 1)
_MAX_HOURLY_DAYS = 31
_MAX_DAILY_DAYS = 800


@dataclass(frozen=True, slots=True)
class Period:
    """`first` inclusive, `until` exclusive."""

    first: date
    until: date
    preset: str = "custom"

    @property
    def days(self) -> int:
        return (self.until - self.first).days

    @property
    def previous(self) -> "Period | None":
        """Of equal length, right before; none for all time."""
        if self.preset == "all":
            return None
        return Period(self.first - timedelta(days=self.days), self.first)

    @property
    def year_before(self) -> "Period | None":
        """The same dates a year earlier; none for all time."""
        if self.preset == "all":
            return None
        return Period(_year_earlier(self.first), _year_earlier(self.until))

    @property
    def grains(self) -> list[Grain]:
        """Those that draw a readable number of bars."""
        grains: list[Grain] = []
        if self.days <= _MAX_HOURLY_DAYS:
            grains.append("hour")
        if self.days <= _MAX_DAILY_DAYS and self.days > 1:
            grains.append("day")
        if self.days > 31:
            grains.append("month")
        return grains

    @property
    def natural_grain(self) -> Grain:
        if self.days <= 2:
            return "hour"
        return "day" if self.days <= 120 else "month"

    def __str__(self) -> str:
        if self.preset == "all":
            return "all time"
        last = self.until - timedelta(days=1)
        if self.days == 1:
            return f"{last:%d %b %Y}"
        return f"{self.first:%d %b %Y} to {last:%d %b %Y}"


def preset_period(preset: str, today: date) -> Period:
    """The last days up to and including today. Raises KeyError for `custom`."""
    tomorrow = today + timedelta(days=1)
    if preset == "all":
        return Period(EPOCH, tomorrow, preset)
    return Period(tomorrow - timedelta(days=DAYS[preset]), tomorrow, preset)


def name_of_previous(period: Period) -> str:
    """Completes "on …": `the previous 28 days`, `yesterday`."""
    if period.preset == "today":
        return "yesterday"
    return f"the previous {period.days} days" if period.days > 1 else "the day before"


def _year_earlier(day: date) -> date:
    """The 29th of February becomes the 28th."""
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)
