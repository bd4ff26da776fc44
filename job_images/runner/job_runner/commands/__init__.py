"""The parts of the handler `command`: a program in a process group of its own, its output as log lines."""
