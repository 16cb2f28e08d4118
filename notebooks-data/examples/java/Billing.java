// Upsert, decide, confirm, report: the four calls of a billing backend. See ../README.md.
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import lagom.v1.Common.Channel;
import lagom.v1.Common.Money;
import lagom.v1.Decision.ConfirmActionRequest;
import lagom.v1.Decision.ConfirmStatus;
import lagom.v1.Decision.NextBestActionRequest;
import lagom.v1.DecisionServiceGrpc;
import lagom.v1.EventOuterClass.CustomerKind;
import lagom.v1.EventOuterClass.CustomerUpsert;
import lagom.v1.EventOuterClass.Event;
import lagom.v1.EventOuterClass.EventType;
import lagom.v1.EventOuterClass.Fact;
import lagom.v1.EventOuterClass.InvoiceUpsert;
import lagom.v1.EventOuterClass.RecordEventsRequest;
import lagom.v1.EventServiceGrpc;

public final class Billing {
  public static void main(String[] arguments) throws Exception {
    String target = System.getenv().getOrDefault("LAGOM_TARGET", "127.0.0.1:50051");
    ManagedChannel channel =
        Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    try {
      var events = EventServiceGrpc.newBlockingStub(channel);
      var decisions = DecisionServiceGrpc.newBlockingStub(channel);
      Timestamp now = Timestamps.fromMillis(System.currentTimeMillis());
      LocalDate today = LocalDate.now(ZoneOffset.UTC);

      // 1. Who owes what. The same event_id again changes nothing.
      var customer = Event.newBuilder().setEventId("customer-java1").setOccurredAt(now)
          .setCustomerId("java1").setCustomer(CustomerUpsert.newBuilder()
              .setKind(CustomerKind.CUSTOMER_KIND_CONSUMER).setCountry("SE")
              .setTimeZone("Europe/Stockholm"));
      var invoice = Event.newBuilder().setEventId("invoice-java1").setOccurredAt(now)
          .setCustomerId("java1").setInvoiceId("java-i1").setInvoice(InvoiceUpsert.newBuilder()
              .setDueOn(today.minusDays(10).toString())
              .setIssuedAt(Timestamps.fromMillis(System.currentTimeMillis() - TimeUnit.DAYS.toMillis(40)))
              .setAmount(Money.newBuilder().setMinorUnits(45_000).setCurrency("SEK")));
      var recorded = events.withDeadlineAfter(10, TimeUnit.SECONDS).recordEvents(
          RecordEventsRequest.newBuilder().addEvents(customer).addEvents(invoice).build());
      recorded.getRejectedList().forEach(one -> {
        throw new IllegalArgumentException(one.getField() + ": " + one.getReason());
      });

      // 2. What to do about it. The request_id is the idempotency key.
      var advice = decisions.withDeadlineAfter(10, TimeUnit.SECONDS).nextBestAction(
          NextBestActionRequest.newBuilder().setRequestId("java1-tonight").setCustomerId("java1")
              .setInvoiceId("java-i1").build());
      System.out.println(advice.getAction().getActionId() + " with probability " + advice.getProbability());

      // 3. Right before sending: does it still hold? 4. Then say what was done.
      if (advice.getAction().getChannel() != Channel.CHANNEL_UNSPECIFIED) {
        var still = decisions.withDeadlineAfter(10, TimeUnit.SECONDS).confirmAction(
            ConfirmActionRequest.newBuilder().setDecisionId(advice.getDecisionId()).build());
        if (still.getStatus() == ConfirmStatus.CONFIRM_STATUS_PROCEED) {
          var sent = Event.newBuilder().setEventId("sent-" + advice.getDecisionId()).setOccurredAt(now)
              .setCustomerId("java1").setInvoiceId("java-i1").setDecisionId(advice.getDecisionId())
              .setFact(Fact.newBuilder().setType(EventType.EVENT_TYPE_CONTACT_SENT)
                  .setChannel(advice.getAction().getChannel()));
          events.withDeadlineAfter(10, TimeUnit.SECONDS)
              .recordEvents(RecordEventsRequest.newBuilder().addEvents(sent).build());
        }
      }
    } finally {
      channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }
  }
}
