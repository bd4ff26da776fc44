"""`python -m tests.cluster up|down|status|images|kubeconfig`: a real cluster for the tests and the demo."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.cluster import providers
from tests.cluster.paths import KUBECONFIG, OUTPUT
from tests.cluster.progress import ClusterError, say

ACTIONS = {
    "up": "make the cluster, or find it healthy, and write .cluster/kubeconfig",
    "down": "remove the cluster and what it left",
    "status": "say whether the cluster can be used; exit code 1 when not",
    "images": "build the images whose sources changed and give them to the cluster",
    "kubeconfig": "print the path of the kubeconfig",
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--provider", choices=providers.NAMES, help="default: what can be had here")
    shared.add_argument(
        "--kubeconfig", type=Path, metavar="PATH", help="use the cluster of this file as it is"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in ACTIONS.items():
        actions.add_parser(name, help=text, description=text, parents=[shared])
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> int:
    name = chosen.provider
    if not name and not chosen.kubeconfig and chosen.action != "up":
        name = providers.remembered()
    provider = providers.choose(name=name, kubeconfig=chosen.kubeconfig)
    match chosen.action:
        case "up":
            path = provider.up()
            providers.remember(provider)
            say(f"export KUBECONFIG={path} PATH={OUTPUT / 'bin'}:$PATH")
        case "down":
            provider.down()
            say("nothing is left of the cluster")
        case "status":
            trouble = provider.status()
            say(trouble or "up")
            return 1 if trouble else 0
        case "images":
            provider.up()
            built = provider.load_images()
            say(f"{built.operator}, {built.runner} and {built.python} are in the cluster")
        case "kubeconfig":
            sys.stdout.write(f"{chosen.kubeconfig or KUBECONFIG}\n")
    return 0


def main() -> int:
    try:
        return run(parse())
    except ClusterError as error:
        say(f"error: {error}")
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
    return 1


if __name__ == "__main__":
    sys.exit(main())
