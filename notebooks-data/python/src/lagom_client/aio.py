"""The client for asyncio: every method is that of `Client`, with `await` or `async for`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
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


class AsyncClient:
    """A connection to a lagom server, for the tasks of one event loop. As `Client`."""

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
            self._channel = grpc.aio.secure_channel(target, secret, options)
        else:
            self._channel = grpc.aio.insecure_channel(target, options)

    async def close(self) -> None:
        """As `Client.close`."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def wait_until_ready(self, timeout: float = 30.0) -> None:
        """As `Client.wait_until_ready`."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), timeout)
        except asyncio.TimeoutError:
            words = f"cannot connect within {timeout:g} s"
            raise failure(grpc.StatusCode.UNAVAILABLE, words, self._target) from None

    # --- events ---

    async def record(
        self,
        events: Iterable[v1.Event],
        *,
        as_of: datetime | str | None = None,
        strict: bool = True,
    ) -> Recorded:
        """As `Client.record`."""
        recorded, offset = Recorded(), 0
        for batch in batches(events):
            request = v1.RecordEventsRequest(events=batch, as_of=moment(as_of))
            answer = await self._call("EventService/RecordEvents", request, v1.RecordEventsResponse)
            recorded.add(answer, offset)
            offset += len(batch)
        return recorded.checked(strict)

    async def stream_events(self, events: Iterable[v1.Event], *, strict: bool = True) -> Recorded:
        """As `Client.stream_events`."""
        call = self._channel.stream_unary(
            "/lagom.v1.EventService/StreamEvents",
            request_serializer=v1.StreamEventsRequest.SerializeToString,
            response_deserializer=v1.StreamEventsResponse.FromString,
        )
        requests = (v1.StreamEventsRequest(event=event) for event in events)
        try:
            answer = await call(requests, timeout=self._stream_deadline, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failure(error) from error
        recorded = Recorded(
            answer.accepted, answer.duplicates, list(answer.rejected), answer.rejected_total
        )
        return recorded.checked(strict)

    # --- decisions ---

    async def decide(
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
        """As `Client.decide`."""
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
        return await self._call(path, request, v1.NextBestActionResponse)

    async def decide_many(
        self, requests: Iterable[v1.NextBestActionRequest | tuple[str, str]]
    ) -> AsyncIterator[v1.StreamNextBestActionsResponse]:
        """As `Client.decide_many`."""
        call = self._channel.stream_stream(
            "/lagom.v1.DecisionService/StreamNextBestActions",
            request_serializer=v1.NextBestActionRequest.SerializeToString,
            response_deserializer=v1.StreamNextBestActionsResponse.FromString,
        )
        questions = (
            decision_request(*one) if isinstance(one, tuple) else keyed(one) for one in requests
        )
        try:
            answers = call(questions, timeout=self._stream_deadline, metadata=self._metadata)
            async for answer in answers:
                yield answer
        except grpc.RpcError as error:
            raise self._failure(error) from error

    async def confirm(self, decision_id: str, *, as_of: datetime | str | None = None) -> Confirmation:
        """As `Client.confirm`."""
        request = v1.ConfirmActionRequest(decision_id=decision_id, as_of=moment(as_of))
        path = "DecisionService/ConfirmAction"
        return Confirmation(await self._call(path, request, v1.ConfirmActionResponse))

    async def explain(self, decision_id: str) -> v1.ExplainDecisionResponse:
        """As `Client.explain`."""
        request = v1.ExplainDecisionRequest(decision_id=decision_id)
        return await self._call("DecisionService/ExplainDecision", request, v1.ExplainDecisionResponse)

    # --- experiments ---

    async def experiments(self) -> list[v1.Experiment]:
        """As `Client.experiments`."""
        request = v1.ListExperimentsRequest()
        path = "ExperimentService/ListExperiments"
        return list((await self._call(path, request, v1.ListExperimentsResponse)).experiments)

    async def review(self, experiment: str, *, as_of: datetime | str | None = None) -> dict[str, Any]:
        """As `Client.review`."""
        request = v1.ReviewExperimentRequest(name=experiment, as_of=moment(as_of))
        path = "ExperimentService/ReviewExperiment"
        answer = await self._call(path, request, v1.ReviewExperimentResponse)
        return dict(json.loads(answer.review_json))

    # --- models ---

    async def model(self, model_id: str = "") -> v1.Model:
        """One version of the models, or the current one."""
        return await self._call("ModelService/GetModel", v1.GetModelRequest(model_id=model_id), v1.Model)

    async def models(self) -> list[v1.Model]:
        """As `Client.models`."""
        request = v1.ListModelsRequest()
        return list((await self._call("ModelService/ListModels", request, v1.ListModelsResponse)).models)

    async def promote(
        self,
        model_id: str,
        *,
        stage: Stage = "live",
        share: float = 0.0,
        in_spite: str = "",
    ) -> v1.Model:
        """As `Client.promote`."""
        request = promotion(model_id, stage, share, in_spite)
        return await self._call("ModelService/PromoteModel", request, v1.Model)

    async def rollback(self) -> v1.Model:
        """As `Client.rollback`."""
        return await self._call("ModelService/RollbackModel", v1.RollbackModelRequest(), v1.Model)

    async def pause(self, reason: str) -> v1.PolicyState:
        """As `Client.pause`."""
        request = v1.PausePolicyRequest(reason=reason)
        return await self._call("ModelService/PausePolicy", request, v1.PolicyState)

    async def resume(self, reason: str) -> v1.PolicyState:
        """As `Client.resume`."""
        request = v1.ResumePolicyRequest(reason=reason)
        return await self._call("ModelService/ResumePolicy", request, v1.PolicyState)

    # --- privacy ---

    async def export_customer(self, customer_id: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """As `Client.export_customer`."""
        call = self._channel.unary_stream(
            "/lagom.v1.PrivacyService/ExportCustomer",
            request_serializer=v1.ExportCustomerRequest.SerializeToString,
            response_deserializer=v1.ExportCustomerResponse.FromString,
        )
        request = v1.ExportCustomerRequest(customer_id=customer_id)
        try:
            async for one in call(request, timeout=self._stream_deadline, metadata=self._metadata):
                yield one.table, json.loads(one.json)
        except grpc.RpcError as error:
            raise self._failure(error) from error

    async def erase_customer(self, customer_id: str) -> int:
        """As `Client.erase_customer`."""
        request = v1.EraseCustomerRequest(customer_id=customer_id)
        path = "PrivacyService/EraseCustomer"
        return (await self._call(path, request, v1.EraseCustomerResponse)).records

    # --- how ---

    async def _call(self, path: str, request: Message, kind: type[Answer]) -> Answer:
        call = self._channel.unary_unary(
            f"/lagom.v1.{path}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        try:
            answer: Answer = await call(request, timeout=self._deadline, metadata=self._metadata)
            return answer
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def _failure(self, error: Any) -> Exception:
        return failure(error.code(), error.details(), self._target)
