"""Client of lagom.

    from lagom_client import Client, customer, invoice

    with Client("127.0.0.1:50051") as lagom:
        lagom.record([
            customer("c1", country="SE", time_zone="Europe/Stockholm"),
            invoice("i1", "c1", amount_minor=45_000, currency="SEK", due_on="2026-02-20"),
        ])
        advice = lagom.decide("c1", "i1")
        if advice.action.kind != v1.KIND_WAIT and lagom.confirm(advice.decision_id):
            ...  # send it

`Client` blocks, `AsyncClient` is its twin for asyncio. Every call has a deadline, is tried again
where that is safe, and carries an idempotency key, so that a repetition changes nothing.
"""

from . import v1
from ._options import Recorded
from .aio import AsyncClient
from .client import Client
from .convert import to_arrow, to_dict
from .errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    LagomError,
    NotFound,
    NotPermitted,
    Overloaded,
    RejectedEvents,
    Unavailable,
)
from .events import customer, fact, invoice

__all__ = [
    "AsyncClient",
    "Client",
    "DeadlineExceeded",
    "FailedPrecondition",
    "InvalidArgument",
    "LagomError",
    "NotFound",
    "NotPermitted",
    "Overloaded",
    "Recorded",
    "RejectedEvents",
    "Unavailable",
    "customer",
    "fact",
    "invoice",
    "to_arrow",
    "to_dict",
    "v1",
]
