"""The shop on one machine: processes under supervisor, topology on an AWS emulator, Envoy."""
