"""What every process turns on: settings, logs, AWS clients, clock, the lake's reader."""
