"""What every process turns on: settings, logging, AWS clients, clock, retries, the lake's reader."""
