"""What the local cluster is made of. A change of a version here (and in `go/*/go.mod`) makes a new cluster."""

KUBERNETES = "1.35.4"
ETCD = "3.6.6"
HELM = "4.3.1"
KIND = "0.33.0"
KIND_NODE_IMAGE = f"kindest/node:v{KUBERNETES}"

DEBIAN_SUITE = "trixie"
"""The base of the images. Its Python must be one that the operator supports."""
