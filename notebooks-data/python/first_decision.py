"""From nothing to the first decision: a customer, an unpaid invoice, advice, and what came of it.

    lagom serve &
    pip install notebooks-data/python
    python notebooks-data/python/first_decision.py
"""

import os
from datetime import datetime, timedelta, timezone

from lagom_client import Client, customer, fact, invoice, to_dict

now = datetime.now(timezone.utc)
with Client(os.environ.get("LAGOM_TARGET", "127.0.0.1:50051")) as lagom:
    lagom.wait_until_ready(30)

    # 1. Who owes what. Sending it again changes nothing.
    lagom.record([
        customer("c1", kind="consumer", country="SE", time_zone="Europe/Stockholm",
                 created_at=now - timedelta(days=400)),
        invoice("i1", "c1", amount_minor=45_000, currency="SEK",
                issued_at=now - timedelta(days=40), due_on=(now - timedelta(days=10)).date()),
    ])  # fmt: skip

    # 2. What to do about it. The answer is on disk; the same request_id gets the same answer.
    advice = lagom.decide("c1", "i1", request_id="c1-i1-tonight")
    print(f"{advice.action.action_id}  with probability {advice.probability:.3f}")
    print(f"because: {advice.reason}")
    print(f"ask again: {advice.next_evaluation_at.ToDatetime():%Y-%m-%d %H:%M} UTC")

    # 3. Right before it is sent: does it still hold?
    if advice.action.channel:
        if lagom.confirm(advice.decision_id):
            channel = to_dict(advice)["action"]["channel"]
            print(f"send it over {channel}, then say so")
            lagom.record([fact("contact_sent", "c1", invoice_id="i1", channel=channel,
                               decision_id=advice.decision_id)])  # fmt: skip

    # 4. What came of it.
    lagom.record([fact("payment_succeeded", "c1", invoice_id="i1",
                       amount_minor=45_000, currency="SEK")])  # fmt: skip
    after = lagom.decide("c1", "i1")
    print(f"after the payment: {after.action.action_id}")

    why = lagom.explain(advice.decision_id)
    print(f"on file: {why.summary}")
