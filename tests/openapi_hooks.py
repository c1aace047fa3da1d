"""The one rule that a schema cannot say: when a problem was noticed is no later than now, and not ages ago."""

from datetime import datetime, timedelta, timezone

import schemathesis


@schemathesis.hook
def filter_body(context, body):
    text = body.get("reported_at") if isinstance(body, dict) else None
    if not isinstance(text, str):
        return True
    try:
        at = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
        now = datetime.now(timezone.utc)
        return now - timedelta(days=3_600) < at <= now
    except (ValueError, TypeError, OverflowError):
        return True  # no date at all: refused for that, which is to be seen
