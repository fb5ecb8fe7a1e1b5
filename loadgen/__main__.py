"""`python -m loadgen`: one load run through the edge, with live figures; `make load` calls it."""

# Locust's sockets are cooperative only if gevent patches them before anything opens one.
from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402

from rich.console import Console  # noqa: E402

from loadgen.scenarios import MAX_DURATION_S, MAX_USERS, SHAPES, Scenario  # noqa: E402
from pipeline.runtime import aws  # noqa: E402
from pipeline.runtime.clock import new_id  # noqa: E402
from pipeline.runtime.settings import RuntimeSettings  # noqa: E402


class LoadSettings(RuntimeSettings):
    edge_url: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--scenario", choices=[s.value for s in Scenario], default="normal")
    parser.add_argument("--users", type=_bounded(MAX_USERS))
    parser.add_argument("--duration", type=_bounded(MAX_DURATION_S), default=60, metavar="S")
    parser.add_argument("--run-id", default=new_id())
    arguments = parser.parse_args()
    os.environ["HAS_LOAD_SCENARIO"] = arguments.scenario
    # The personas read the scenario when they are imported.
    from loadgen.lease import AlreadyRunning
    from loadgen.runner import Figures, Plan, run

    shape = SHAPES[Scenario(arguments.scenario)]
    settings = LoadSettings()
    users = arguments.users or shape.users
    plan = Plan(
        arguments.run_id, arguments.scenario, users,
        max(shape.spawn_rate_per_s, users / 20), arguments.duration, settings.edge_url,
    )  # fmt: skip
    screen = Console()

    def show(figures: Figures) -> None:
        screen.print(
            f"{figures.elapsed_s:>4} s  {figures.users:>4} users  {figures.rps:>7.1f} requests/s  "
            f"p50 {figures.p50_ms:>5.0f} ms  p95 {figures.p95_ms:>5.0f} ms  "
            f"{figures.failures} of {figures.requests} failed"
        )

    table = aws.table(settings.names.table("ops"))
    try:
        final = run(table, plan, show)
    except AlreadyRunning as error:
        screen.print(f"[yellow]{error}: one run at a time")
        return 2
    share = final["failures"] / max(1, final["requests"])
    screen.print(f"{final['requests']:,} requests, {share:.2%} failed, p95 {final['p95_ms']} ms")
    return 0 if share < 0.001 else 1


def _bounded(limit: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        value = int(text)
        if not 1 <= value <= limit:
            raise argparse.ArgumentTypeError(f"from 1 to {limit}")
        return value

    return convert


if __name__ == "__main__":
    sys.exit(main())
