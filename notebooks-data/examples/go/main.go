// Upsert, decide, confirm, report: the four calls of a billing backend. See ../README.md.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "example.com/billing/lagom/v1"
)

func record(ctx context.Context, events pb.EventServiceClient, batch ...*pb.Event) {
	answer, err := events.RecordEvents(ctx, &pb.RecordEventsRequest{Events: batch})
	if err != nil {
		log.Fatal(err)
	}
	for _, one := range answer.Rejected {
		log.Fatalf("%s: %s: %s", one.EventId, one.Field, one.Reason)
	}
}

func main() {
	target := os.Getenv("LAGOM_TARGET")
	if target == "" {
		target = "127.0.0.1:50051"
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	events, decisions := pb.NewEventServiceClient(connection), pb.NewDecisionServiceClient(connection)
	now := time.Now().UTC()

	// 1. Who owes what. The same event_id again changes nothing.
	record(ctx, events,
		&pb.Event{EventId: "customer-go1", OccurredAt: timestamppb.New(now), CustomerId: "go1",
			Body: &pb.Event_Customer{Customer: &pb.CustomerUpsert{
				Kind: pb.CustomerKind_CUSTOMER_KIND_CONSUMER, Country: "SE", TimeZone: "Europe/Stockholm"}}},
		&pb.Event{EventId: "invoice-go1", OccurredAt: timestamppb.New(now), CustomerId: "go1", InvoiceId: "go-i1",
			Body: &pb.Event_Invoice{Invoice: &pb.InvoiceUpsert{
				IssuedAt: timestamppb.New(now.AddDate(0, 0, -40)),
				DueOn:    now.AddDate(0, 0, -10).Format(time.DateOnly),
				Amount:   &pb.Money{MinorUnits: 45000, Currency: "SEK"}}}})

	// 2. What to do about it. The request_id is the idempotency key.
	advice, err := decisions.NextBestAction(ctx, &pb.NextBestActionRequest{
		RequestId: "go1-tonight", CustomerId: "go1", InvoiceId: "go-i1"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s with probability %g\n", advice.Action.ActionId, advice.Probability)

	// 3. Right before sending: does it still hold? 4. Then say what was done.
	if advice.Action.Channel != pb.Channel_CHANNEL_UNSPECIFIED {
		still, err := decisions.ConfirmAction(ctx, &pb.ConfirmActionRequest{DecisionId: advice.DecisionId})
		if err != nil {
			log.Fatal(err)
		}
		if still.Status == pb.ConfirmStatus_CONFIRM_STATUS_PROCEED {
			record(ctx, events, &pb.Event{EventId: "sent-" + advice.DecisionId,
				OccurredAt: timestamppb.Now(), CustomerId: "go1", InvoiceId: "go-i1", DecisionId: advice.DecisionId,
				Body: &pb.Event_Fact{Fact: &pb.Fact{
					Type: pb.EventType_EVENT_TYPE_CONTACT_SENT, Channel: advice.Action.Channel}}})
		}
	}
}
