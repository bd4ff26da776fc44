"""The parts of the handler `ping`."""
