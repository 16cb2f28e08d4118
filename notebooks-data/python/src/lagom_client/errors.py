"""What a call can fail with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from ._options import Recorded


class LagomError(Exception):
    """A call that failed. `code` is the gRPC status, `message` the server's own words."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


class InvalidArgument(LagomError):
    """A field is missing or wrong; the message begins with its path."""


class NotFound(LagomError):
    """No such customer, invoice, decision, experiment or model."""


class FailedPrecondition(LagomError):
    """A rule forbids it; the message names the rule."""


class NotPermitted(LagomError):
    """The token is missing, unknown, or does not allow this."""


class Unavailable(LagomError):
    """No server answered, or a decision could not be made durable. Nothing was decided."""


class Overloaded(LagomError):
    """The server sheds load, or a limit of the tenant is reached. Come back later."""


class DeadlineExceeded(LagomError):
    """No answer within the deadline. Ask again with the same `request_id` to learn what came of it."""


class RejectedEvents(Exception):
    """Some events were not recorded; the others were. `recorded` tells which, and why."""

    def __init__(self, recorded: Recorded) -> None:
        first = recorded.rejected[0]
        super().__init__(
            f"{recorded.rejected_total} events were not recorded ({recorded.accepted} were, "
            f"{recorded.duplicates} were known); the first: {first.event_id}: {first.field}: "
            f"{first.reason}"
        )
        self.recorded = recorded


_BY_CODE: dict[grpc.StatusCode, type[LagomError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.UNAUTHENTICATED: NotPermitted,
    grpc.StatusCode.PERMISSION_DENIED: NotPermitted,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


def failure(code: grpc.StatusCode, details: str | None, target: str) -> LagomError:
    """The error of a gRPC status."""
    message = details or "no details"
    if code is grpc.StatusCode.UNAVAILABLE and "connect" in message.lower():
        message = f"no server at {target}; is `lagom serve` running there? ({message})"
    return _BY_CODE.get(code, LagomError)(code, message)
