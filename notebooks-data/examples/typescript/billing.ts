// Upsert, decide, confirm, report: the four calls of a billing backend. See ../README.md.
import { credentials, ServiceError } from "@grpc/grpc-js";
import { Channel, Kind } from "./generated/lagom/v1/common";
import { ConfirmStatus, DecisionServiceClient } from "./generated/lagom/v1/decision";
import { CustomerKind, Event, EventServiceClient, EventType } from "./generated/lagom/v1/event";

const target = process.env.LAGOM_TARGET ?? "127.0.0.1:50051";
const day = 24 * 3600 * 1000;
const now = new Date();
const deadline = () => ({ deadline: Date.now() + 10_000 });

/** A unary call as a promise. */
function ask<Request, Answer>(
  call: (request: Request, metadata: any, options: any, done: (e: ServiceError | null, a: Answer) => void) => unknown,
  request: Request,
): Promise<Answer> {
  const { Metadata } = require("@grpc/grpc-js");
  return new Promise((resolve, reject) =>
    call(request, new Metadata(), deadline(), (error, answer) => (error ? reject(error) : resolve(answer))),
  );
}

async function main() {
  const events = new EventServiceClient(target, credentials.createInsecure());
  const decisions = new DecisionServiceClient(target, credentials.createInsecure());

  // 1. Who owes what. The same event_id again changes nothing, so this can be sent as often as you like.
  const opening: Event[] = [
    Event.fromPartial({
      eventId: "customer-ts1", occurredAt: now, customerId: "ts1",
      customer: { kind: CustomerKind.CUSTOMER_KIND_CONSUMER, country: "SE", timeZone: "Europe/Stockholm" },
    }),
    Event.fromPartial({
      eventId: "invoice-ts1", occurredAt: now, customerId: "ts1", invoiceId: "ts-i1",
      invoice: {
        issuedAt: new Date(now.getTime() - 40 * day),
        dueOn: new Date(now.getTime() - 10 * day).toISOString().slice(0, 10),
        amount: { minorUnits: 45000, currency: "SEK" },
      },
    }),
  ];
  const recorded = await ask(events.recordEvents.bind(events), { events: opening, asOf: undefined });
  if (recorded.rejected.length > 0) throw new Error(JSON.stringify(recorded.rejected));

  // 2. What to do about it. The request_id is the idempotency key.
  const advice = await ask(decisions.nextBestAction.bind(decisions), {
    requestId: "ts1-tonight", customerId: "ts1", invoiceId: "ts-i1",
    asOf: undefined, allowedChannels: [Channel.CHANNEL_EMAIL], events: [], dryRun: false,
  });
  console.log(`${advice.action?.actionId} with probability ${advice.probability}`);

  // 3. Right before sending, and 4. what was done.
  if (advice.action && advice.action.kind !== Kind.KIND_WAIT && advice.action.channel) {
    const still = await ask(decisions.confirmAction.bind(decisions), { decisionId: advice.decisionId, asOf: undefined });
    if (still.status === ConfirmStatus.CONFIRM_STATUS_PROCEED) {
      const sent = Event.fromPartial({
        eventId: `sent-${advice.decisionId}`, occurredAt: new Date(), customerId: "ts1", invoiceId: "ts-i1",
        decisionId: advice.decisionId,
        fact: { type: EventType.EVENT_TYPE_CONTACT_SENT, channel: advice.action.channel },
      });
      await ask(events.recordEvents.bind(events), { events: [sent], asOf: undefined });
    }
  }
  const paid = Event.fromPartial({
    eventId: "paid-ts-i1", occurredAt: new Date(), customerId: "ts1", invoiceId: "ts-i1",
    fact: { type: EventType.EVENT_TYPE_PAYMENT_SUCCEEDED, amount: { minorUnits: 45000, currency: "SEK" } },
  });
  const reported = await ask(events.recordEvents.bind(events), { events: [paid], asOf: undefined });
  console.log(`reported: ${reported.accepted} accepted, ${reported.duplicates} known`);
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exit(1);
});
