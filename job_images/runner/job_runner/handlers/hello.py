from job_runner import Context, job_handler


@job_handler("hello")
def hello(context: Context, name: str = "world") -> dict[str, str]:
    """Greets somebody and says for which slot."""
    slot = context.slot.astimezone(context.time_zone).isoformat() if context.slot else "no slot"
    context.logger.info("Hello, %s!", name, extra={"for": slot})
    return {"greeting": f"Hello, {name}!"}
