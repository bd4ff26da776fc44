from _days import hour_of

from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql

# A second run in the same hour replaces the figures of the first.
MEASURE = """
WITH measured AS (
    SELECT 'leads_' || status AS name, count(*)::double precision AS value
    FROM lead WHERE deleted_at IS NULL GROUP BY status
    UNION ALL SELECT 'average_score', coalesce(round(avg(score), 2), 0) FROM lead WHERE deleted_at IS NULL
    UNION ALL SELECT 'sessions', count(*) FROM web_session WHERE expires_at > now()
), outdated AS (
    DELETE FROM metric WHERE hour = %(hour)s AND name NOT IN (SELECT name FROM measured)
)
INSERT INTO metric (hour, name, value) SELECT %(hour)s, name, value FROM measured
ON CONFLICT (hour, name) DO UPDATE SET value = excluded.value
RETURNING name, value
"""


@job_handler("metrics")
def metrics(context: Context) -> dict[str, float]:
    """Writes down the figures of the business, once for each hour."""
    with open_postgresql(context) as connection:
        return dict(connection.execute(MEASURE, {"hour": hour_of(context)}).fetchall())
