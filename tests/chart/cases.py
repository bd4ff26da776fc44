"""Ways to install the chart, named by what they are for. Most tests run over all of them."""

from typing import Any

DIGEST = "sha256:" + "0123456789abcdef" * 4

CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "two namespaces": {"watchNamespaces": ["team-a", "team-b"]},
    "its own namespace": {"watchNamespaces": ["scheduledjob-system"]},
    "digests": {"image": {"digest": DIGEST}, "runner": {"image": {"digest": DIGEST}}},
    "images from a registry of one's own": {
        "image": {"registry": "registry.example:5000", "repository": "mirror/operator", "tag": "dev"},
        "runner": {
            "image": {"registry": "", "repository": "handlers", "tag": "2026.11", "pullPolicy": "Always"},
            "imagePullSecrets": [{"name": "pull-a"}, {"name": "pull-b"}],
        },
        "imagePullSecrets": [{"name": "pull-a"}],
    },
    "suspended": {
        "suspendAll": {"enabled": True, "reason": "moving house", "until": "2026-12-24T08:00:00+01:00"}
    },
    "no CRD": {"crds": {"enabled": False}},
    "CRD goes with the release": {"crds": {"keep": False}, "priorityClasses": {"keep": False}},
    "no priority classes": {"priorityClasses": {"create": False}},
    "priority classes of another prefix": {"priorityClasses": {"prefix": "batch-"}},
    "rights given by somebody else": {"rbac": {"create": False, "aggregate": False}},
    "no admission policy": {"admissionPolicy": {"enabled": False}},
    "ServiceAccount made by somebody else": {"serviceAccount": {"create": False, "name": "robot"}},
    "no metrics Service": {"metrics": {"service": {"enabled": False}}},
    "ServiceMonitor": {
        "metrics": {
            "service": {"enabled": False},
            "serviceMonitor": {"enabled": True, "interval": "1m", "labels": {"release": "prometheus"}},
        }
    },
    "alerts": {
        "metrics": {
            "prometheusRule": {
                "enabled": True,
                "labels": {"release": "prometheus"},
                "alertLabels": {"team": "platform"},
                "for": "1h30m",
            }
        }
    },
    "NetworkPolicy": {"networkPolicy": {"enabled": True}},
    "narrow NetworkPolicy": {
        "networkPolicy": {
            "enabled": True,
            "ingressFrom": [{"namespaceSelector": {"matchLabels": {"monitoring": "yes"}}}],
            "apiServerPorts": [16443],
            "apiServerCIDRs": ["10.0.0.1/32", "fd00::1/128"],
            "extraEgress": [{"ports": [{"port": 3128, "protocol": "TCP"}]}],
        }
    },
    "stopped": {"replicaCount": 0},
    "a standby": {"replicaCount": 2},
    "an environment": {"environment": "production", "punctualFiring": False},
    "long names": {"fullnameOverride": "an-operator-with-a-name-that-is-too-long-for-most-"},
    "everything on": {
        "nameOverride": "sj",
        "replicaCount": 5,
        "watchNamespaces": ["team-a"],
        "environment": "staging.eu-1",
        "serviceAccount": {"name": "sj", "annotations": {"example.com/role": "reader"}},
        "logging": {"level": "DEBUG", "format": "text"},
        "metrics": {
            "service": {"annotations": {"prometheus.io/scrape": "true"}},
            "serviceMonitor": {"enabled": True},
            "prometheusRule": {"enabled": True},
        },
        "networkPolicy": {"enabled": True},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "system", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
                    ]
                }
            }
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "sj"}},
            }
        ],
        "priorityClassName": "system-cluster-critical",
        "podAnnotations": {"example.com/note": "yes"},
        "podLabels": {"team": "platform", "app.kubernetes.io/component": "not-ours-to-change"},
        "extraEnv": [
            {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
    },
}
