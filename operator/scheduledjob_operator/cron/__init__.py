"""Cron as Kubernetes understands it: `dialect` reads the text, `advice` words the refusals, `zones` finds the
time zone and `walk` steps through the days around a clock change. `schedule` puts them together.
"""
