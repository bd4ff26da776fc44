"""Handlers for trying the system out: every one is named by an entry point of this distribution."""
