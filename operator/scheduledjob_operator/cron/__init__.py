"""Schedules by cron: `dialect` reads the text (with `special`, `hashed` and `values`), `advice` and
`advice_special` word the refusals, `zones` finds the time zone. `native` has the runs of Kubernetes (with
`walk` around a clock change), `wall` our own (with `clock`), `intervals` those without a clock; `notes` says
what clock changes do. `schedule` puts them together.
"""
