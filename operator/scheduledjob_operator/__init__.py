"""The ScheduledJob operator: recurring work on Kubernetes that reports what happened."""

__version__ = "0.1.0"
