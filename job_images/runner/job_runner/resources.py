"""What a run has used, as the kernel counted it."""

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, see getrusage(2)


def peak_memory_bytes() -> int:
    """The largest resident memory that this process, or one of the processes it waited for, ever had."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _UNIT
    return max(_own_peak(), children)


def _own_peak() -> int:
    # ru_maxrss starts at the size of the parent process; the high-water mark in /proc does not.
    with suppress(OSError):
        mark = re.search(
            r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE
        )
        if mark:
            return int(mark[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
