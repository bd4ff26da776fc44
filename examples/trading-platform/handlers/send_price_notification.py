from typing import Any

from _outbox import Delivery, deliver

from job_runner import Cancelled, Context, job_handler
from job_runner.connections.postgresql import open_postgresql


@job_handler("send_price_notification")
def send_price_notification(context: Context, alert: int | None = None) -> dict[str, Any]:
    """Sends the mails of triggered alerts that wait, or that of one alert."""
    delivery = Delivery()
    key = None if alert is None else f"price-alert-{alert}"
    try:
        with open_postgresql(context, autocommit=True) as connection:
            deliver(context, connection, delivery, kind="price-alert", key=key)
    except Cancelled:
        return delivery.value()
    delivery.check()
    return delivery.value()
