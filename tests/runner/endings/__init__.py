"""Handlers called `it`, one a file, each with a way of not ending by itself. Tests copy one at once."""
