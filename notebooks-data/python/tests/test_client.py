"""What the client promises, against a real server over a real socket."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
import time
from datetime import date, datetime, timedelta, timezone

import grpc
import pytest
from conftest import Server, free_port

from lagom_client import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    InvalidArgument,
    LagomError,
    NotFound,
    RejectedEvents,
    Unavailable,
    customer,
    fact,
    invoice,
    to_arrow,
    to_dict,
    v1,
)

MONDAY = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
_numbers = itertools.count(1)


def company() -> tuple[str, str, list[v1.Event]]:
    """A customer with an invoice that is ten days late on Monday."""
    n = next(_numbers)
    c, i = f"c{n}", f"i{n}"
    opening = [
        customer(
            c,
            kind="consumer",
            country="SE",
            time_zone="Europe/Stockholm",
            autopay=False,
            created_at=MONDAY - timedelta(days=400),
        ),
        invoice(
            i,
            c,
            issued_at=MONDAY - timedelta(days=40),
            due_on=date(2026, 2, 20),
            amount_minor=45_000,
            currency="SEK",
            terms_days=30,
        ),
    ]
    return c, i, opening


def test_the_whole_loop(client: Client) -> None:
    c, i, opening = company()
    recorded = client.record(opening, as_of=MONDAY - timedelta(days=1))
    assert (recorded.accepted, recorded.duplicates) == (2, 0)
    again = client.record(opening)
    assert (again.accepted, again.duplicates) == (0, 2)

    for attempt in range(50):
        advice = client.decide(c, i, request_id=f"{c}-{attempt}", as_of=MONDAY)
        if advice.action.channel:
            break
    assert advice.action.channel, "fifty decisions, and none of them a contact"
    assert 0.0 < advice.probability <= 1.0

    assert client.confirm(advice.decision_id, as_of=MONDAY)
    sent = fact(
        "contact_sent",
        c,
        invoice_id=i,
        decision_id=advice.decision_id,
        channel=to_dict(advice)["action"]["channel"],
        occurred_at=MONDAY,
    )
    assert client.record([sent], as_of=MONDAY).accepted == 1

    later = MONDAY + timedelta(days=1)
    paid = fact(
        "payment_succeeded", c, invoice_id=i, amount_minor=45_000, currency="SEK", occurred_at=later
    )
    client.record([paid], as_of=later)
    refused = client.confirm(advice.decision_id, as_of=later)
    assert not refused and refused.rules, "a paid invoice must not be reminded of"

    why = client.explain(advice.decision_id)
    assert why.decision.decision_id == advice.decision_id
    assert sum(one.probability for one in why.eligible) == pytest.approx(1.0)


def test_the_same_key_gets_the_same_decision_and_no_key_a_new_one(client: Client) -> None:
    c, i, opening = company()
    first = client.decide(c, i, request_id=f"k-{c}", as_of=MONDAY, events=opening)
    second = client.decide(c, i, request_id=f"k-{c}", as_of=MONDAY)
    assert first == second
    other = client.decide(c, i, as_of=MONDAY)
    assert other.decision_id not in ("", first.decision_id)
    assert client.decide(c, i, dry_run=True).decision_id == ""


def test_a_key_guards_a_call_that_is_made_again(server: Server) -> None:
    """The attempts of one call carry one key: a proxy that swallows the first answer and then lets
    the call through leaves one decision behind, not two."""
    target, swallowed = free_port(), threading.Event()
    seen: list[str] = []

    class Proxy(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            def forward(request: bytes, context: grpc.ServicerContext) -> bytes:
                with grpc.insecure_channel(server.target) as behind:
                    answer = behind.unary_unary(details.method)(request)
                seen.append(v1.NextBestActionResponse.FromString(answer).decision_id)
                if not swallowed.is_set():
                    swallowed.set()
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")
                return bytes(answer)

            return grpc.unary_unary_rpc_method_handler(forward)

    from concurrent.futures import ThreadPoolExecutor

    proxy = grpc.server(ThreadPoolExecutor(2), handlers=[Proxy()])
    proxy.add_insecure_port(f"127.0.0.1:{target}")
    proxy.start()
    try:
        c, i, opening = company()
        with Client(server.target) as direct:
            direct.record(opening, as_of=MONDAY)
        with Client(f"127.0.0.1:{target}") as client:
            advice = client.decide(c, i, as_of=MONDAY)
        assert len(seen) == 2, "the client did not try again"
        assert set(seen) == {advice.decision_id}
    finally:
        proxy.stop(None)


def test_errors_say_what_and_where(client: Client) -> None:
    c, i, opening = company()
    client.record(opening, as_of=MONDAY)
    with pytest.raises(NotFound, match="nobody"):
        client.decide("nobody", i)
    with pytest.raises(InvalidArgument, match="customer_id"):
        client.decide("", i)
    with pytest.raises(NotFound, match="d-unknown"):
        client.confirm("d-unknown")
    with pytest.raises(LagomError, match="no-such-version|lagom promote"):
        client.promote("no-such-version")
    with pytest.raises(LagomError, match="no-such-version|lagom promote"):
        client.promote("no-such-version", stage="shadow", in_spite="a test")
    with pytest.raises(InvalidArgument, match="share"):
        client.promote("no-such-version", stage="canary", share=1.5)
    with pytest.raises(ValueError, match="one of shadow, canary, live"):
        client.promote("no-such-version", stage="half")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no UTC offset"):
        client.decide(c, i, as_of=datetime(2026, 3, 2))
    with pytest.raises(ValueError, match="one of email, sms, letter"):
        client.decide(c, i, allowed_channels=["pigeon"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="unknown currency"):
        fact("payment_succeeded", c, amount_minor=1)


def test_one_bad_event_never_stops_the_others(client: Client) -> None:
    c, i, opening = company()
    bad = fact("contact_sent", c, invoice_id=i, occurred_at=MONDAY - timedelta(days=2))
    with pytest.raises(RejectedEvents, match="channel") as caught:
        client.record([opening[0], bad, opening[1]], as_of=MONDAY)
    assert caught.value.recorded.accepted == 2
    assert caught.value.recorded.rejected[0].field.startswith("events[1]")
    again = client.record([bad], strict=False)
    assert (again.accepted, again.rejected_total) == (0, 1)


def test_more_events_than_one_call_takes_go_in_portions(client: Client) -> None:
    c, i, opening = company()
    client.record(opening, as_of=MONDAY)
    seen = [
        fact("invoice_viewed", c, invoice_id=i, event_id=f"v{n}", dwell_ms=n, occurred_at=MONDAY)
        for n in range(10_050)
    ]
    bad = fact("contact_sent", c, invoice_id=i, occurred_at=MONDAY)
    recorded = client.record([*seen, bad], strict=False)
    assert recorded.accepted == 10_050
    assert recorded.rejected[0].field.startswith("events[10050]")
    assert client.stream_events(iter(seen)).duplicates == 10_050


def test_a_night_of_decisions_keeps_its_order_and_survives_a_bad_question(client: Client) -> None:
    people = [company() for _ in range(20)]
    client.record([event for _, _, opening in people for event in opening], as_of=MONDAY)
    questions: list[v1.NextBestActionRequest | tuple[str, str]] = [(c, i) for c, i, _ in people]
    questions.insert(7, ("nobody", "nothing"))
    answers = list(client.decide_many(questions))
    assert [one.WhichOneof("result") for one in answers].count("error") == 1
    assert answers[7].error.code == grpc.StatusCode.NOT_FOUND.value[0]

    table = to_arrow(answers)
    assert table.num_rows == 21
    assert table.column("decision_id").null_count == 1
    assert table.column("error_code").null_count == 20
    assert str(table.schema.field("next_evaluation_at").type) == "timestamp[us, tz=UTC]"
    assert set(table.column("kind").to_pylist()) <= {
        None, "wait", "reminder", "invoice_redelivery", "plan_offer", "discount_offer",
        "fee_waiver", "autopay_offer", "human_review", "collection_claim",
    }  # fmt: skip
    blocked = table.column("blocked").to_pylist()[0]
    assert all(set(one) == {"action_id", "rule"} for one in blocked)


def test_no_server_is_said_in_words() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    with Client(nobody, attempts=1) as client, pytest.raises(Unavailable, match="lagom serve"):
        client.explain("d")
    with Client(nobody) as client, pytest.raises(Unavailable, match="lagom serve"):
        client.wait_until_ready(0.2)


def test_a_deadline_holds() -> None:
    """A port that takes connections and never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with Client(f"127.0.0.1:{port}", deadline=0.3) as client:
            with pytest.raises((DeadlineExceeded, Unavailable)):
                client.explain("d")
        assert time.monotonic() - began < 5.0


def test_a_restart_of_the_server_is_outlived(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("restarted"))
    try:
        with Client(server.target, deadline=30.0) as client:
            c, i, opening = company()
            before = client.decide(c, i, request_id="kept", as_of=MONDAY, events=opening)
            server.stop()
            server.start()
            assert client.decide(c, i, request_id="kept", as_of=MONDAY) == before
    finally:
        server.stop()


def test_events_that_are_the_same_have_the_same_id() -> None:
    def viewed(dwell: int) -> str:
        return fact("invoice_viewed", "c", invoice_id="i", dwell_ms=dwell, occurred_at=MONDAY).event_id

    assert viewed(1) == viewed(1) != viewed(2)
    assert fact("customer_churned", "c", event_id="mine").event_id == "mine"


def test_the_asyncio_twin_does_the_same(server: Server) -> None:
    async def loop() -> None:
        async with AsyncClient(server.target) as client:
            await client.wait_until_ready(10)
            people = [company() for _ in range(10)]
            events = [event for _, _, opening in people for event in opening]
            assert (await client.record(events, as_of=MONDAY)).accepted == 20
            asked = [client.decide(c, i, as_of=MONDAY) for c, i, _ in people]
            decisions = await asyncio.gather(*asked)
            assert len({one.decision_id for one in decisions}) == 10
            assert [one async for one in client.decide_many([(people[0][0], people[0][1])])]
            await client.confirm(decisions[0].decision_id, as_of=MONDAY)
            assert (await client.explain(decisions[0].decision_id)).summary
            with pytest.raises(NotFound):
                await client.decide("nobody", "nothing")
            held = [table async for table, _ in client.export_customer(people[0][0])]
            assert "decisions" in held

    asyncio.run(loop())


def test_the_twins_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(one).parameters)
            for name, one in vars(kind).items()
            if inspect.isfunction(one) and not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)
    assert issubclass(NotFound, LagomError)


def test_pausing_lets_the_ladder_decide(client: Client) -> None:
    c, i, opening = company()
    client.record(opening, as_of=MONDAY)
    assert client.pause("a test").paused
    try:
        assert client.decide(c, i, as_of=MONDAY).policy == "ladder"
    finally:
        assert not client.resume("a test").paused


def test_what_is_exported_reads_back_as_arrow(server: Server, client: Client) -> None:
    c, i, opening = company()
    client.record(opening, as_of=MONDAY)
    advice = client.decide(c, i, as_of=MONDAY)
    records = list(client.export_customer(c))
    held = [record for table, record in records if table == "decisions"]
    assert advice.decision_id in [record["decision_id"] for record in held]
    out = server.folder / "exported"
    server.lagom("export", "--config", str(server.config), "--out", str(out))
    import pyarrow.parquet

    files = [*out.glob("decisions*"), *out.glob("decisions/*")]
    table = pyarrow.parquet.read_table([one for one in files if one.is_file()][0])
    assert advice.decision_id in table.column("decision_id").to_pylist()
