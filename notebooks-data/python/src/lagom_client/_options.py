"""What both clients share: how a channel is made, and how requests are put together."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from . import v1
from .errors import RejectedEvents
from .events import Channel, Stage, moment, number

# The most events that the server takes in one call.
BATCH = 10_000

# Recording, deciding and confirming can be repeated without harm: their keys make it so. What turns
# a registry or a policy, and what streams, is sent once.
_REPEATABLE = [
    {"service": "lagom.v1.EventService", "method": "RecordEvents"},
    {"service": "lagom.v1.DecisionService", "method": "NextBestAction"},
    {"service": "lagom.v1.DecisionService", "method": "ConfirmAction"},
    {"service": "lagom.v1.DecisionService", "method": "ExplainDecision"},
    {"service": "lagom.v1.ExperimentService"},
    {"service": "lagom.v1.ModelService", "method": "GetModel"},
    {"service": "lagom.v1.ModelService", "method": "ListModels"},
    {"service": "lagom.v1.PrivacyService", "method": "EraseCustomer"},
]


def channel_options(attempts: int) -> list[tuple[str, int | str]]:
    """Options of a channel that tries a repeatable call up to `attempts` times (1 to 5)."""
    if not 1 <= attempts <= 5:
        raise ValueError(f"attempts is {attempts}; 1 to 5 can be made")
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", 64 << 20),
        ("grpc.keepalive_time_ms", 60_000),
    ]
    if attempts == 1:
        return [*options, ("grpc.enable_retries", 0)]
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
    }
    config = {"methodConfig": [{"name": _REPEATABLE, "retryPolicy": policy}]}
    return [*options, ("grpc.enable_retries", 1), ("grpc.service_config", json.dumps(config))]


def metadata(token: str | None) -> tuple[tuple[str, str | bytes], ...]:
    """What every call carries."""
    return () if token is None else (("authorization", f"Bearer {token}"),)


def decision_request(
    customer_id: str,
    invoice_id: str,
    *,
    request_id: str | None = None,
    as_of: datetime | str | None = None,
    allowed_channels: Iterable[Channel] = (),
    events: Iterable[v1.Event] = (),
    dry_run: bool = False,
) -> v1.NextBestActionRequest:
    """A question with an idempotency key: `request_id`, or else a random one."""
    return v1.NextBestActionRequest(
        request_id=request_id or str(uuid.uuid4()),
        customer_id=customer_id,
        invoice_id=invoice_id,
        as_of=moment(as_of),
        allowed_channels=[number("channel", one) for one in allowed_channels],
        events=events,
        dry_run=dry_run,
    )


def promotion(
    model_id: str, stage: Stage, share: float, in_spite: str
) -> v1.PromoteModelRequest:
    """How far a version goes, and in spite of what."""
    return v1.PromoteModelRequest(
        model_id=model_id,
        stage=number("rollout_stage", stage),
        share=share,
        in_spite=in_spite,
    )


def keyed(request: v1.NextBestActionRequest) -> v1.NextBestActionRequest:
    """The question with an idempotency key, if it has none."""
    if request.request_id:
        return request
    copy = v1.NextBestActionRequest()
    copy.CopyFrom(request)
    copy.request_id = str(uuid.uuid4())
    return copy


def batches(events: Iterable[v1.Event]) -> Iterator[list[v1.Event]]:
    """The events in portions that the server takes."""
    rest = iter(events)
    while batch := list(islice(rest, BATCH)):
        yield batch


@dataclass
class Recorded:
    """What came of recording events."""

    #: Events that were new and are now on disk.
    accepted: int = 0
    #: Events that had been recorded before; nothing changed.
    duplicates: int = 0
    #: Events that were not recorded, with the path of the wrong field and the reason.
    rejected: list[v1.RejectedEvent] = field(default_factory=list)
    #: How many were not recorded; more than `rejected` holds where a stream had very many.
    rejected_total: int = 0

    def add(self, answer: v1.RecordEventsResponse, offset: int) -> None:
        """Takes in the answer about a portion that began at event `offset`."""
        self.accepted += answer.accepted
        self.duplicates += answer.duplicates
        for one in answer.rejected:
            moved = re.sub(
                r"^events\[(\d+)\]", lambda found: f"events[{int(found[1]) + offset}]", one.field
            )
            self.rejected.append(
                v1.RejectedEvent(event_id=one.event_id, field=moved, reason=one.reason)
            )
        self.rejected_total += len(answer.rejected)

    def checked(self, strict: bool) -> Recorded:
        """Itself, unless something was rejected and `strict` says that this is an error."""
        if strict and self.rejected_total:
            raise RejectedEvents(self)
        return self


class Confirmation:
    """The answer to `confirm`: true to proceed; `rules` says what forbids it."""

    def __init__(self, answer: v1.ConfirmActionResponse) -> None:
        self.proceed: bool = answer.status == v1.CONFIRM_STATUS_PROCEED
        self.rules: list[str] = list(answer.rules)

    def __bool__(self) -> bool:
        return self.proceed

    def __repr__(self) -> str:
        return "PROCEED" if self.proceed else f"CANCEL({', '.join(self.rules)})"
