from _days import day_of

from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql

ADD_POINTS = """
WITH due AS (
    SELECT id, CASE WHEN travel_date <= %(day)s + 7 THEN 20
                    WHEN travel_date <= %(day)s + 14 THEN 15
                    ELSE 10 END AS points
    FROM lead
    WHERE travel_date BETWEEN %(day)s AND %(day)s + 30
      AND status NOT IN ('converted', 'junk', 'not_interested')
      AND deleted_at IS NULL
), added AS (
    INSERT INTO lead_points (lead_id, day, points) SELECT id, %(day)s, points FROM due
    ON CONFLICT DO NOTHING
    RETURNING lead_id, points
), scored AS (
    UPDATE lead SET score = score + added.points FROM added WHERE lead.id = added.lead_id
    RETURNING added.points
)
SELECT points, count(*) FROM scored GROUP BY points
"""


@job_handler("score-update")
def score_update(context: Context) -> dict[str, int | str]:
    """Adds 20, 15 or 10 points to leads that travel within 7, 14 or 30 days, once for each day."""
    day = day_of(context)
    with open_postgresql(context) as connection:
        leads = dict(connection.execute(ADD_POINTS, {"day": day}).fetchall())
    return {
        "day": day.isoformat(),
        "within7Days": leads.get(20, 0),
        "within14Days": leads.get(15, 0),
        "within30Days": leads.get(10, 0),
    }
