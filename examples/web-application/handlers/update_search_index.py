from job_runner import Cancelled, Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

_NEXT = """
    INSERT INTO search_index AS known (article, words, indexed)
    SELECT id, to_tsvector('english', title || ' ' || body), changed_at
    FROM articles
    WHERE NOT EXISTS (SELECT FROM search_index WHERE article = id AND indexed = changed_at)
    ORDER BY id
    LIMIT %s
    ON CONFLICT (article) DO UPDATE SET words = excluded.words, indexed = excluded.indexed
"""


@job_handler("update_search_index")
def update_search_index(context: Context, batch: int = 500) -> dict[str, int]:
    """Indexes the articles that were changed since they were indexed, batch by batch."""
    if batch < 1:
        raise DataError("batch is below 1")
    counts = {"indexed": 0, "batches": 0}
    try:
        with open_postgresql(context, autocommit=True) as connection:
            more = True
            while more:
                with context.shield():
                    indexed = connection.execute(_NEXT, [batch]).rowcount
                    counts["indexed"] += indexed
                    counts["batches"] += bool(indexed)
                more = indexed == batch
    except Cancelled:
        context.logger.warning("stopped early: the rest is for the next run")
    return counts
