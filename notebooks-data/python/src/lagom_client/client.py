"""The client that blocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from . import v1
from ._options import (
    Confirmation,
    Recorded,
    batches,
    channel_options,
    decision_request,
    keyed,
    metadata,
    promotion,
)
from .errors import failure
from .events import Channel, Stage, moment

Answer = TypeVar("Answer", bound=Message)


class Client:
    """A connection to a lagom server, to be shared by threads and closed at the end.

    `target` is host:port. `token` names the tenant where the server asks for one. `deadline` is in
    seconds and holds for each call with all its attempts; `stream_deadline` for a whole stream.
    A call that found no server, or one that sheds load, is made up to `attempts` times.
    `root_certificates` (PEM) turns TLS on; `tls=True` does so with the system's own roots;
    `certificate` and `private_key` (PEM) are the client's own, where the server wants to see one.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        token: str | None = None,
        deadline: float = 10.0,
        stream_deadline: float = 600.0,
        attempts: int = 5,
        tls: bool = False,
        root_certificates: bytes | None = None,
        certificate: bytes | None = None,
        private_key: bytes | None = None,
    ) -> None:
        self._target = target
        self._deadline = deadline
        self._stream_deadline = stream_deadline
        self._metadata = metadata(token)
        options = channel_options(attempts)
        if tls or root_certificates is not None:
            secret = grpc.ssl_channel_credentials(root_certificates, private_key, certificate)
            self._channel = grpc.secure_channel(target, secret, options)
        else:
            self._channel = grpc.insecure_channel(target, options)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def wait_until_ready(self, timeout: float = 30.0) -> None:
        """Waits until the server can be reached; `Unavailable` if it cannot in `timeout` seconds."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout)
        except grpc.FutureTimeoutError:
            words = f"cannot connect within {timeout:g} s"
            raise failure(grpc.StatusCode.UNAVAILABLE, words, self._target) from None

    # --- events ---

    def record(
        self,
        events: Iterable[v1.Event],
        *,
        as_of: datetime | str | None = None,
        strict: bool = True,
    ) -> Recorded:
        """Records any number of events, in calls of at most 10,000. Known ones change nothing.

        Raises `RejectedEvents` if some are wrong, after all the others are on disk; with
        `strict=False` they are told in the answer. `as_of` is for a server on the events' clock.
        """
        recorded, offset = Recorded(), 0
        for batch in batches(events):
            request = v1.RecordEventsRequest(events=batch, as_of=moment(as_of))
            answer = self._call("EventService/RecordEvents", request, v1.RecordEventsResponse)
            recorded.add(answer, offset)
            offset += len(batch)
        return recorded.checked(strict)

    def stream_events(self, events: Iterable[v1.Event], *, strict: bool = True) -> Recorded:
        """Records events from an iterator of any length without holding them. It is not tried again
        by itself; send the same events again after a failure, those on disk are duplicates."""
        call = self._channel.stream_unary(
            "/lagom.v1.EventService/StreamEvents",
            request_serializer=v1.StreamEventsRequest.SerializeToString,
            response_deserializer=v1.StreamEventsResponse.FromString,
        )
        requests = (v1.StreamEventsRequest(event=event) for event in events)
        try:
            answer = call(requests, timeout=self._stream_deadline, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failure(error) from error
        recorded = Recorded(
            answer.accepted, answer.duplicates, list(answer.rejected), answer.rejected_total
        )
        return recorded.checked(strict)

    # --- decisions ---

    def decide(
        self,
        customer_id: str,
        invoice_id: str,
        *,
        request_id: str | None = None,
        as_of: datetime | str | None = None,
        allowed_channels: Iterable[Channel] = (),
        events: Iterable[v1.Event] = (),
        dry_run: bool = False,
    ) -> v1.NextBestActionResponse:
        """The next best action for an unpaid invoice; it is on disk before it is answered.

        `request_id` is the idempotency key: the same key gets the same decision. Without one a
        random key guards this call and its attempts. `events` are recorded with the decision, all
        or none. `dry_run` decides and logs nothing.
        """
        request = decision_request(
            customer_id,
            invoice_id,
            request_id=request_id,
            as_of=as_of,
            allowed_channels=allowed_channels,
            events=events,
            dry_run=dry_run,
        )
        path = "DecisionService/NextBestAction"
        return self._call(path, request, v1.NextBestActionResponse)

    def decide_many(
        self, requests: Iterable[v1.NextBestActionRequest | tuple[str, str]]
    ) -> Iterator[v1.StreamNextBestActionsResponse]:
        """Nightly runs: a question for each (customer_id, invoice_id) or request, answered in
        order. A bad question is answered by `error`; the others by `decision`."""
        call = self._channel.stream_stream(
            "/lagom.v1.DecisionService/StreamNextBestActions",
            request_serializer=v1.NextBestActionRequest.SerializeToString,
            response_deserializer=v1.StreamNextBestActionsResponse.FromString,
        )
        questions = (
            decision_request(*one) if isinstance(one, tuple) else keyed(one) for one in requests
        )
        try:
            yield from call(questions, timeout=self._stream_deadline, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def confirm(self, decision_id: str, *, as_of: datetime | str | None = None) -> Confirmation:
        """Whether the advice still holds, right before it is carried out. True means PROCEED, and
        the contact is reserved; otherwise `rules` tells what forbids it."""
        request = v1.ConfirmActionRequest(decision_id=decision_id, as_of=moment(as_of))
        path = "DecisionService/ConfirmAction"
        return Confirmation(self._call(path, request, v1.ConfirmActionResponse))

    def explain(self, decision_id: str) -> v1.ExplainDecisionResponse:
        """Why a decision was made: features, eligible actions, refused ones with their rules."""
        request = v1.ExplainDecisionRequest(decision_id=decision_id)
        return self._call("DecisionService/ExplainDecision", request, v1.ExplainDecisionResponse)

    # --- experiments ---

    def experiments(self) -> list[v1.Experiment]:
        """Every configured experiment."""
        request = v1.ListExperimentsRequest()
        path = "ExperimentService/ListExperiments"
        return list(self._call(path, request, v1.ListExperimentsResponse).experiments)

    def review(self, experiment: str, *, as_of: datetime | str | None = None) -> dict[str, Any]:
        """The review of an experiment: the document of `lagom review --json`."""
        request = v1.ReviewExperimentRequest(name=experiment, as_of=moment(as_of))
        path = "ExperimentService/ReviewExperiment"
        answer = self._call(path, request, v1.ReviewExperimentResponse)
        return dict(json.loads(answer.review_json))

    # --- models ---

    def model(self, model_id: str = "") -> v1.Model:
        """One version of the models, or the current one."""
        return self._call("ModelService/GetModel", v1.GetModelRequest(model_id=model_id), v1.Model)

    def models(self) -> list[v1.Model]:
        """Every version, newest first."""
        request = v1.ListModelsRequest()
        return list(self._call("ModelService/ListModels", request, v1.ListModelsResponse).models)

    def promote(
        self,
        model_id: str,
        *,
        stage: Stage = "live",
        share: float = 0.0,
        in_spite: str = "",
    ) -> v1.Model:
        """Makes a version current, if it passed its gate.

        `stage` is how far it goes: "shadow" decides without effect, "canary" for a `share` of the
        customers in (0, 1), "live" for all. `in_spite` is why it is promoted in spite of the gate;
        the reason is kept with the step.
        """
        request = promotion(model_id, stage, share, in_spite)
        return self._call("ModelService/PromoteModel", request, v1.Model)

    def rollback(self) -> v1.Model:
        """Makes the previous version current again."""
        return self._call("ModelService/RollbackModel", v1.RollbackModelRequest(), v1.Model)

    def pause(self, reason: str) -> v1.PolicyState:
        """From now on the rules ladder decides."""
        request = v1.PausePolicyRequest(reason=reason)
        return self._call("ModelService/PausePolicy", request, v1.PolicyState)

    def resume(self, reason: str) -> v1.PolicyState:
        """From now on the configured policy decides again."""
        request = v1.ResumePolicyRequest(reason=reason)
        return self._call("ModelService/ResumePolicy", request, v1.PolicyState)

    # --- privacy ---

    def export_customer(self, customer_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything held about a customer: the table's name and the record, one after another."""
        call = self._channel.unary_stream(
            "/lagom.v1.PrivacyService/ExportCustomer",
            request_serializer=v1.ExportCustomerRequest.SerializeToString,
            response_deserializer=v1.ExportCustomerResponse.FromString,
        )
        request = v1.ExportCustomerRequest(customer_id=customer_id)
        try:
            for one in call(request, timeout=self._stream_deadline, metadata=self._metadata):
                yield one.table, json.loads(one.json)
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def erase_customer(self, customer_id: str) -> int:
        """Removes everything held about a customer; how many records that was."""
        request = v1.EraseCustomerRequest(customer_id=customer_id)
        path = "PrivacyService/EraseCustomer"
        return self._call(path, request, v1.EraseCustomerResponse).records

    # --- how ---

    def _call(self, path: str, request: Message, kind: type[Answer]) -> Answer:
        call = self._channel.unary_unary(
            f"/lagom.v1.{path}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        try:
            answer: Answer = call(request, timeout=self._deadline, metadata=self._metadata)
            return answer
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def _failure(self, error: Any) -> Exception:
        return failure(error.code(), error.details(), self._target)
