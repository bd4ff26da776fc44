import time
from pathlib import Path

from job_runner import Context, job_handler

SECONDS_A_DAY = 86_400


@job_handler("clean-up")
def clean_up(context: Context, folder: str = "/tmp", older_than_days: int = 7) -> dict[str, int]:  # noqa: S108
    """Counts the files that nobody has written to for some days."""
    limit = time.time() - older_than_days * SECONDS_A_DAY
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    old = [path for path in files if path.stat().st_mtime < limit]
    context.logger.info("%d of %d files are old", len(old), len(files))
    return {"files": len(files), "old": len(old)}
