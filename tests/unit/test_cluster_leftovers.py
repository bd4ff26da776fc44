"""What an earlier cluster left is found in what the kernel shows, and nothing else is."""

from pathlib import Path

import pytest

from tests.cluster import leftovers, node
from tests.cluster.progress import ClusterError

STATE = Path("/var/lib/scheduledjob-testcluster")
MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:30 / /var/lib/scheduledjob-testcluster/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
41 22 0:31 / /run/scheduledjob-testcluster/containerd/runtime.v2.task/k8s.io/a/x rw - overlay o rw
42 22 0:32 / /var/lib/scheduledjob-testcluster-of-somebody-else/data rw - tmpfs tmpfs rw
43 40 0:33 / /var/lib/scheduledjob-testcluster/kubelet/pods/1/volumes/token/nested rw - tmpfs tmpfs rw
44 22 0:34 / /var/lib/scheduledjob-testcluster/odd\\040name\\134 rw - tmpfs tmpfs rw
45 22 0:35 / /var/lib/containerd/rootfs rw - overlay overlay rw
"""
CGROUP_V1 = """\
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""


def test_mounts_in_our_folders_are_found_innermost_first() -> None:
    found = leftovers.mounts_below(MOUNTS, [STATE])
    token = STATE / "kubelet/pods/1/volumes/token"
    assert found == [STATE / "odd name\\", token / "nested", token]


def test_mounts_of_several_folders_are_found() -> None:
    found = leftovers.mounts_below(MOUNTS, [STATE, Path("/run/scheduledjob-testcluster")])
    assert len(found) == 4


def test_a_folder_that_merely_begins_with_our_name_is_somebody_elses() -> None:
    found = leftovers.mounts_below(MOUNTS, [STATE])
    assert not any("somebody-else" in str(point) for point in found)


def test_a_folder_with_a_mount_in_it_is_never_deleted() -> None:
    with pytest.raises(ClusterError, match="mounted below /proc"):
        leftovers.discard(Path("/proc"))


@pytest.mark.parametrize(
    ("mounts", "roots"),
    [
        pytest.param(
            CGROUP_V1, ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"], id="v1 beside an unused v2"
        ),
        pytest.param("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", ["/sys/fs/cgroup"], id="v2"),
        pytest.param("/dev/vda / ext4 rw 0 0\n", [], id="none"),
    ],
)
def test_our_cgroup_is_in_every_hierarchy_of_v1_or_in_that_of_v2(mounts: str, roots: list[str]) -> None:
    assert node.cgroup_roots(mounts) == [Path(root) for root in roots]
