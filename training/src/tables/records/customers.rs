use crate::tables::fields::Fields;
use crate::tables::out::OutRow;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind};
use lagom_features::Recorded;
use lagom_features::domain::{Country, Currency, Customer, CustomerKind, Fault, Zone};

impl Record for Recorded<Customer> {
    const TABLE: &'static str = "customers";
    const COLUMNS: &'static [Column] = &[
        Column::optional("tenant", Kind::Text),
        Column::needed("customer_id", Kind::Text),
        Column::needed("created_at", Kind::Instant),
        Column::optional("kind", Kind::Text),
        Column::optional("country", Kind::Text),
        Column::optional("time_zone", Kind::Text),
        Column::optional("language", Kind::Text),
        Column::optional("segment", Kind::Text),
        Column::optional("autopay", Kind::Flag),
        Column::optional("annual_margin_minor", Kind::Whole),
        Column::optional("currency", Kind::Text),
        Column::optional("vulnerable", Kind::Flag),
        Column::optional("minor", Kind::Flag),
        Column::optional("recorded_at", Kind::Instant),
    ];

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let tenant = fields.optional("tenant").unwrap_or_default();
        let customer_id = fields.needed("customer_id");
        let created_at = fields.needed("created_at");
        let value = Customer {
            kind: fields.optional("kind"),
            country: fields.optional("country"),
            time_zone: fields.optional("time_zone"),
            language: fields.optional("language"),
            segment: fields.optional("segment"),
            autopay: fields.optional("autopay"),
            annual_margin_minor: fields.optional("annual_margin_minor"),
            currency: fields.optional("currency"),
            vulnerable: fields.optional("vulnerable"),
            minor: fields.optional("minor"),
            ..Customer::unknown(tenant, customer_id?, created_at?)
        };
        Some(Self {
            recorded_at: fields.optional("recorded_at").unwrap_or(value.created_at),
            value,
        })
    }

    fn write<'a>(&'a self, out: &mut OutRow<'a>) {
        let customer = &self.value;
        out.put("tenant", customer.tenant.as_str());
        out.put("customer_id", customer.customer_id.as_str());
        out.put("created_at", customer.created_at);
        out.put("kind", customer.kind.map(CustomerKind::name));
        out.put("country", customer.country.as_ref().map(Country::as_str));
        out.put("time_zone", customer.time_zone.as_ref().map(Zone::name));
        out.put("language", customer.language.as_ref());
        out.put("segment", customer.segment.as_ref());
        out.put("autopay", customer.autopay);
        out.put("annual_margin_minor", customer.annual_margin_minor);
        out.put("currency", customer.currency.as_ref().map(Currency::as_str));
        out.put("vulnerable", customer.vulnerable);
        out.put("minor", customer.minor);
        out.put("recorded_at", self.recorded_at);
    }

    fn row_faults(&self) -> Vec<Fault> {
        self.value.faults()
    }
}
