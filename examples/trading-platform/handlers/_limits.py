"""Which limits of risk are broken, as of the latest measurement."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

# One statement: an open breach stays the one it is, and of two runs at once only one opens or closes it.
_EVALUATE = """
    WITH judged AS (
        SELECT risks.portfolio_id, judgement.broken_limit, judgement.broken
        FROM risks JOIN risk_limits USING (portfolio_id)
        CROSS JOIN LATERAL (VALUES
            ('largest_share_percent', risks.largest_share_percent > risk_limits.largest_share_percent),
            ('least_value', risks.value < risk_limits.least_value)
        ) AS judgement (broken_limit, broken)
        WHERE %(portfolio)s::integer IS NULL OR risks.portfolio_id = %(portfolio)s
    ), opened AS (
        INSERT INTO breaches (portfolio_id, broken_limit)
        SELECT portfolio_id, broken_limit FROM judged WHERE broken
        ON CONFLICT (portfolio_id, broken_limit) WHERE closed_at IS NULL DO NOTHING
        RETURNING id
    ), closed AS (
        UPDATE breaches SET closed_at = now() FROM judged
        WHERE breaches.portfolio_id = judged.portfolio_id AND breaches.broken_limit = judged.broken_limit
            AND breaches.closed_at IS NULL AND judged.broken IS NOT TRUE
        RETURNING id
    )
    SELECT (SELECT count(*) FROM opened), (SELECT count(*) FROM closed),
        (SELECT count(*) FROM judged WHERE broken)
"""


def evaluate_limits(connection: "Connection", portfolio: int | None = None) -> dict[str, int]:
    """Open a breach for each limit that is newly broken, close those that are over."""
    row = connection.execute(_EVALUATE, {"portfolio": portfolio}).fetchone()
    assert row is not None
    opened, closed, broken = row
    return {"opened": opened, "closed": closed, "broken": broken}
