use crate::tables::fields::Fields;
use crate::tables::out::OutRow;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind};
use lagom_features::Recorded;
use lagom_features::domain::{Fault, Invoice, Money};

impl Record for Recorded<Invoice> {
    const TABLE: &'static str = "invoices";
    const COLUMNS: &'static [Column] = &[
        Column::needed("invoice_id", Kind::Text),
        Column::needed("customer_id", Kind::Text),
        Column::needed("issued_at", Kind::Instant),
        Column::needed("due_on", Kind::Day),
        Column::needed("amount_minor", Kind::Whole),
        Column::needed("currency", Kind::Text),
        Column::optional("terms_days", Kind::Whole),
        Column::optional("payment_method", Kind::Text),
        Column::optional("billing_channel", Kind::Text),
        Column::optional("product", Kind::Text),
        Column::optional("recorded_at", Kind::Instant),
    ];

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let invoice_id = fields.needed("invoice_id");
        let customer_id = fields.needed("customer_id");
        let issued_at = fields.needed("issued_at");
        let due_on = fields.needed("due_on");
        let minor_units = fields.needed("amount_minor");
        let currency = fields.needed("currency");
        let terms_days = fields.optional("terms_days");
        let payment_method: Option<String> = fields.optional("payment_method");
        let billing_channel: Option<String> = fields.optional("billing_channel");
        let product: Option<String> = fields.optional("product");
        let recorded_at = fields.optional("recorded_at");
        let value = Invoice {
            invoice_id: invoice_id?,
            customer_id: customer_id?,
            issued_at: issued_at?,
            due_on: due_on?,
            amount: Money::new(minor_units?, currency?),
            terms_days,
            payment_method: payment_method.map(Box::from),
            billing_channel: billing_channel.map(Box::from),
            product: product.map(Box::from),
        };
        Some(Self {
            recorded_at: recorded_at.unwrap_or(value.issued_at),
            value,
        })
    }

    fn write<'a>(&'a self, out: &mut OutRow<'a>) {
        let invoice = &self.value;
        out.put("invoice_id", invoice.invoice_id.as_str());
        out.put("customer_id", invoice.customer_id.as_str());
        out.put("issued_at", invoice.issued_at);
        out.put("due_on", invoice.due_on);
        out.put("amount_minor", invoice.amount.minor_units);
        out.put("currency", invoice.amount.currency.as_str());
        out.put("terms_days", invoice.terms_days);
        out.put("payment_method", invoice.payment_method.as_deref());
        out.put("billing_channel", invoice.billing_channel.as_deref());
        out.put("product", invoice.product.as_deref());
        out.put("recorded_at", self.recorded_at);
    }

    fn row_faults(&self) -> Vec<Fault> {
        self.value.faults()
    }
}
