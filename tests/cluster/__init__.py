"""A real Kubernetes cluster for the tests and the demo: `python -m tests.cluster up`."""
