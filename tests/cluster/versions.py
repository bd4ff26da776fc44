"""What the test cluster is made of. A change here (and in `go/*/go.mod`) makes a new cluster."""

KUBERNETES = "1.35.4"
ETCD = "3.6.6"
HELM = "4.3.1"
KIND = "0.33.0"
KIND_NODE_IMAGE = (
    "kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0"
)
"""Of the images that were built for this version of kind, the one of the same Kubernetes minor."""

DEBIAN_SUITE = "trixie"
"""The base of the images. Its Python must be one that the operator supports."""
