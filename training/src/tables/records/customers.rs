use crate::tables::fields::Fields;
use crate::tables::out::OutRow;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind};
use lagom_features::domain::{Country, Currency, Customer, CustomerKind, Fault, Zone};

impl Record for Customer {
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
    ];

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let tenant = fields.optional("tenant").unwrap_or_default();
        let customer_id = fields.needed("customer_id");
        let created_at = fields.needed("created_at");
        let rest = Self {
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
            ..Self::unknown(tenant, customer_id?, created_at?)
        };
        Some(rest)
    }

    fn write<'a>(&'a self, out: &mut OutRow<'a>) {
        out.put("tenant", self.tenant.as_str());
        out.put("customer_id", self.customer_id.as_str());
        out.put("created_at", self.created_at);
        out.put("kind", self.kind.map(CustomerKind::name));
        out.put("country", self.country.as_ref().map(Country::as_str));
        out.put("time_zone", self.time_zone.as_ref().map(Zone::name));
        out.put("language", self.language.as_ref());
        out.put("segment", self.segment.as_ref());
        out.put("autopay", self.autopay);
        out.put("annual_margin_minor", self.annual_margin_minor);
        out.put("currency", self.currency.as_ref().map(Currency::as_str));
        out.put("vulnerable", self.vulnerable);
        out.put("minor", self.minor);
    }

    fn row_faults(&self) -> Vec<Fault> {
        self.faults()
    }
}
