"""The cron library of Kubernetes itself, asked what it would do: the referee of the schedule module.

`program` builds and asks the Go program beside it, `cases` invents schedules and moments, `comparison` holds
both answers against each other. `python -m tests.oracle --cases 1000000` compares for as long as you like.
"""
