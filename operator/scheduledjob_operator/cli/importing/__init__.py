"""Reading what another scheduler runs: files are data here, and nothing in them is executed.

A reader gives `Finding`s, line by line; `manifests` makes ScheduledJobs of them. Pure.
"""
