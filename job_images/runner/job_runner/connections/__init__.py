"""Connections to the servers that jobs work with, for the handlers that come along and for your own.

Addresses and passwords come from environment variables only; failures become the errors that choose a run's
exit code, without a word of what is secret.
"""
