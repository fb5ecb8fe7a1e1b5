"""`python -m pipeline.compaction`: runs compaction now; exit code 1 when another run holds it."""

import sys

from pipeline.compaction.service import compact_and_learn
from pipeline.runtime import clock, logs
from pipeline.runtime.settings import RuntimeSettings


def main() -> int:
    settings = RuntimeSettings(service="compaction")
    logs.configure("WARNING")
    outcome = compact_and_learn(settings.names, clock.now, clock.new_id)
    if outcome.is_skipped:
        print("Another compaction is running; it holds the lease.")
        return 1
    print(f"Merged {outcome.events:,} events of {outcome.files:,} raw files "
          f"into {outcome.dates:,} curated files.")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
