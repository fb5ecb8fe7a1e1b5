"""`python -m pipeline.compaction`: runs compaction now; exit code 1 when another run holds it.

`--only` leaves out what follows it: learning from the tables, and reconciliation.
"""

import argparse
import sys

from pipeline.compaction.service import compact_and_count, compact_and_learn
from pipeline.runtime import clock, logs
from pipeline.runtime.settings import RuntimeSettings


def main() -> int:
    parser = argparse.ArgumentParser(prog="make compact")
    parser.add_argument("--only", action="store_true", help="no learning, no reconciliation")
    run = compact_and_count if parser.parse_args().only else compact_and_learn
    settings = RuntimeSettings(service="compaction")
    logs.configure("WARNING")
    outcome = run(settings.names, clock.now, clock.new_id)
    if outcome.is_skipped:
        print("Another compaction is running; it holds the lease.")
        return 1
    print(f"Merged {outcome.events:,} events of {outcome.files:,} raw files "
          f"into {outcome.dates:,} curated files.")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
