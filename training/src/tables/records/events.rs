use crate::tables::fields::Fields;
use crate::tables::out::OutRow;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind};
use lagom_features::domain::{Channel, DecisionId, Event, Fault, InvoiceId, Tone};

impl Record for Event {
    const TABLE: &'static str = "events";
    const COLUMNS: &'static [Column] = &[
        Column::needed("event_id", Kind::Text),
        Column::needed("occurred_at", Kind::Instant),
        Column::needed("recorded_at", Kind::Instant),
        Column::needed("customer_id", Kind::Text),
        Column::optional("invoice_id", Kind::Text),
        Column::optional("decision_id", Kind::Text),
        Column::needed("type", Kind::Text),
        Column::optional("channel", Kind::Text),
        Column::optional("tone", Kind::Text),
        Column::optional("amount_minor", Kind::Whole),
        Column::optional("currency", Kind::Text),
        Column::optional("method", Kind::Text),
        Column::optional("device", Kind::Text),
        Column::optional("dwell_ms", Kind::Whole),
        Column::optional("until", Kind::Instant),
        Column::optional("reason", Kind::Text),
    ];

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let event_id = fields.needed("event_id");
        let occurred_at = fields.needed("occurred_at");
        let recorded_at = fields.needed("recorded_at");
        let customer_id = fields.needed("customer_id");
        let invoice_id = fields.optional("invoice_id");
        let decision_id = fields.optional("decision_id");
        let kind = fields.needed("type");
        let channel = fields.optional("channel");
        let tone = fields.optional("tone");
        let amount = fields.money();
        let method = fields.optional("method");
        let device = fields.optional("device");
        let dwell_ms = fields.optional("dwell_ms");
        let until = fields.optional("until");
        let reason = fields.optional("reason");
        Some(Self {
            invoice_id,
            decision_id,
            channel,
            tone,
            amount,
            method,
            device,
            dwell_ms,
            until,
            reason,
            ..Self::new(event_id?, kind?, customer_id?, occurred_at?, recorded_at?)
        })
    }

    fn write<'a>(&'a self, out: &mut OutRow<'a>) {
        let currency = self.amount.as_ref().map(|money| money.currency.as_str());
        out.put("event_id", self.event_id.as_str());
        out.put("occurred_at", self.occurred_at);
        out.put("recorded_at", self.recorded_at);
        out.put("customer_id", self.customer_id.as_str());
        out.put(
            "invoice_id",
            self.invoice_id.as_ref().map(InvoiceId::as_str),
        );
        out.put(
            "decision_id",
            self.decision_id.as_ref().map(DecisionId::as_str),
        );
        out.put("type", self.kind.name());
        out.put("channel", self.channel.map(Channel::name));
        out.put("tone", self.tone.map(Tone::name));
        out.put("amount_minor", self.amount.map(|money| money.minor_units));
        out.put("currency", currency);
        out.put("method", self.method.as_ref());
        out.put("device", self.device.as_ref());
        out.put("dwell_ms", self.dwell_ms);
        out.put("until", self.until);
        out.put("reason", self.reason.as_ref());
    }

    fn row_faults(&self) -> Vec<Fault> {
        self.faults()
    }
}
