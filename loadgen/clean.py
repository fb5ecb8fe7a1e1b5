"""`python -m loadgen.clean`: take away what load runs have left; `make load-clean` calls it."""

import argparse
import sys

from loadgen import lease
from loadgen.cleaning import Cleaning, uncleaned
from loadgen.record import Records
from loadgen.settings import LoadSettings
from pipeline.runtime.clock import now

_PATIENCE_S = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load-clean", description=__doc__)
    parser.add_argument("--by", default="command line")
    given = parser.parse_args()
    settings = LoadSettings()
    table = settings.ops_table()
    heads = uncleaned(Records(table), lease.find_holder(table, now()))
    if not heads:
        print("Every load run is cleaned up.")
    is_done = True
    for head in heads:
        removed = Cleaning(settings.names, head).execute(given.by, _PATIENCE_S)
        print(f"{head['run_id']}: {removed.sentence()}", flush=True)
        is_done &= not removed.under_way
    return 0 if is_done else 1


if __name__ == "__main__":
    sys.exit(main())
