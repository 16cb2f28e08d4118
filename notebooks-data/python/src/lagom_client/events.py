"""Events in plain Python: dates, words, and amounts in minor units.

An event's id is how the server knows that it has seen it. Where none is given it is a digest of the
event itself, so that the same event is recorded once, however often it is sent. Two events that
differ in nothing, not even in the instant, are one event: give them ids if they are two.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timezone
from typing import Literal

from . import v1

Channel = Literal["email", "sms", "letter", "app_push", "digital_mailbox", "phone"]
Tone = Literal["friendly", "neutral", "firm", "final"]
Stage = Literal["shadow", "canary", "live"]
CustomerKind = Literal["consumer", "business"]
EventType = Literal[
    "invoice_delivered", "invoice_opened", "invoice_viewed", "link_clicked", "delivery_failed",
    "payment_initiated", "payment_succeeded", "payment_failed", "payment_refunded",
    "payment_unmatched", "credit_issued", "due_date_changed", "dispute_opened", "dispute_resolved",
    "promise_made", "plan_started", "plan_ended", "contact_sent", "contact_skipped",
    "support_contacted", "complaint_made", "consent_granted", "consent_withdrawn",
    "moratorium_started", "moratorium_ended", "customer_deceased", "customer_bankrupt",
    "feedback_given", "autopay_enabled", "autopay_disabled", "hold_placed", "hold_released",
    "vulnerability_flagged", "collection_opened", "collection_recalled", "customer_churned",
    "customer_returned", "written_off",
]  # fmt: skip

_ENUMS = {
    "channel": v1.Channel,
    "tone": v1.Tone,
    "kind": v1.Kind,
    "customer_kind": v1.CustomerKind,
    "event_type": v1.EventType,
    "rollout_stage": v1.RolloutStage,
}


def number(enum: str, word: str | None) -> int:
    """The value of an enum by its word: `number("channel", "sms")`. Nothing is unspecified."""
    values = _ENUMS[enum]
    prefix = f"{enum.upper()}_"
    if word is None:
        return 0
    try:
        return int(values.Value(prefix + word.upper()))
    except ValueError:
        words = [one.removeprefix(prefix).lower() for one in values.keys()[1:]]
        raise ValueError(f"{enum} is {word!r}; one of {', '.join(words)} is expected") from None


def moment(when: datetime | str | None) -> v1.Timestamp | None:
    """An instant on the wire. Text is RFC 3339. A time without an offset is refused, since nobody
    can tell which instant it is."""
    if when is None:
        return None
    if isinstance(when, str):
        when = datetime.fromisoformat(when.replace("Z", "+00:00"))
    if when.tzinfo is None:
        raise ValueError(f"{when.isoformat()} has no UTC offset; say which instant it is")
    whole = v1.Timestamp()
    whole.FromDatetime(when)
    return whole


def _now() -> v1.Timestamp:
    now = v1.Timestamp()
    now.FromDatetime(datetime.now(timezone.utc))
    return now


def _money(amount_minor: int | None, currency: str | None, what: str) -> v1.Money | None:
    if amount_minor is None:
        return None
    if currency is None:
        raise ValueError(f"{what} is {amount_minor} minor units of an unknown currency; name it")
    return v1.Money(minor_units=amount_minor, currency=currency)


def _identified(event: v1.Event, event_id: str | None) -> v1.Event:
    if event_id is None:
        plain = event.SerializeToString(deterministic=True)
        event_id = hashlib.blake2b(plain, digest_size=16).hexdigest()
    event.event_id = event_id
    return event


def customer(
    customer_id: str,
    *,
    time_zone: str,
    country: str | None = None,
    kind: CustomerKind | None = None,
    created_at: datetime | str | None = None,
    language: str | None = None,
    segment: str | None = None,
    autopay: bool | None = None,
    annual_margin_minor: int | None = None,
    currency: str | None = None,
    vulnerable: bool | None = None,
    minor: bool | None = None,
    occurred_at: datetime | str | None = None,
    event_id: str | None = None,
) -> v1.Event:
    """A customer, new or changed: the whole description, not a difference. What is left out is
    unknown. `occurred_at` is when it became so: `created_at`, or now."""
    created = moment(created_at)
    body = v1.CustomerUpsert(
        created_at=created,
        kind=number("customer_kind", kind),
        country=country,
        time_zone=time_zone,
        language=language,
        segment=segment,
        autopay=autopay,
        annual_margin=_money(annual_margin_minor, currency, "annual_margin_minor"),
        vulnerable=vulnerable,
        minor=minor,
    )
    occurred = moment(occurred_at) or created or _now()
    event = v1.Event(occurred_at=occurred, customer_id=customer_id, customer=body)
    return _identified(event, event_id)


def invoice(
    invoice_id: str,
    customer_id: str,
    *,
    amount_minor: int,
    currency: str,
    due_on: date | str,
    issued_at: datetime | str | None = None,
    terms_days: int | None = None,
    payment_method: str | None = None,
    billing_channel: str | None = None,
    product: str | None = None,
    occurred_at: datetime | str | None = None,
    event_id: str | None = None,
) -> v1.Event:
    """An invoice, issued or corrected. `occurred_at` is when it became so: `issued_at`, or now."""
    issued = moment(issued_at)
    body = v1.InvoiceUpsert(
        issued_at=issued,
        due_on=due_on if isinstance(due_on, str) else due_on.isoformat(),
        amount=_money(amount_minor, currency, "amount_minor"),
        terms_days=terms_days,
        payment_method=payment_method,
        billing_channel=billing_channel,
        product=product,
    )
    event = v1.Event(
        occurred_at=moment(occurred_at) or issued or _now(),
        customer_id=customer_id,
        invoice_id=invoice_id,
        invoice=body,
    )
    return _identified(event, event_id)


def fact(
    type: EventType,
    customer_id: str,
    *,
    invoice_id: str | None = None,
    decision_id: str | None = None,
    occurred_at: datetime | str | None = None,
    channel: Channel | None = None,
    tone: Tone | None = None,
    amount_minor: int | None = None,
    currency: str | None = None,
    method: str | None = None,
    device: str | None = None,
    dwell_ms: int | None = None,
    until: datetime | str | None = None,
    reason: str | None = None,
    event_id: str | None = None,
) -> v1.Event:
    """Anything else that happened: `fact("payment_succeeded", "c1", invoice_id="i1",
    amount_minor=45_000, currency="SEK")`. `occurred_at` is now if not given; give it where the same
    event may be reported twice."""
    body = v1.Fact(
        type=number("event_type", type),
        channel=number("channel", channel),
        tone=number("tone", tone),
        amount=_money(amount_minor, currency, "amount_minor"),
        method=method,
        device=device,
        dwell_ms=dwell_ms,
        until=moment(until),
        reason=reason,
    )
    event = v1.Event(
        occurred_at=moment(occurred_at) or _now(),
        customer_id=customer_id,
        invoice_id=invoice_id,
        decision_id=decision_id,
        fact=body,
    )
    return _identified(event, event_id)
