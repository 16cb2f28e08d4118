use crate::tables::fields::Fields;
use crate::tables::out::OutRow;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind};
use lagom_features::domain::Fault;
use lagom_model::log::{Executed, Outcome};

/// Names of [`Executed`] in the column `executed`; what it carries is in `executed_reason`.
const SENT: &str = "sent";
const CANCELLED: &str = "cancelled";
const FAILED: &str = "failed";

fn executed(fields: &mut Fields<'_, '_>) -> Option<Executed> {
    let status: Option<String> = fields.needed("executed");
    let reason = fields.text_or_empty("executed_reason");
    match status?.as_str() {
        SENT => Some(Executed::Sent),
        CANCELLED => Some(Executed::Cancelled { rule: reason }),
        FAILED => Some(Executed::Failed { reason }),
        other => {
            let known = format!("{SENT}, {CANCELLED}, {FAILED}");
            fields.fault("executed", format!("`{other}` is none of {known}"));
            None
        }
    }
}

impl Record for Outcome {
    const TABLE: &'static str = "outcomes";
    const COLUMNS: &'static [Column] = &[
        Column::needed("decision_id", Kind::Text),
        Column::needed("executed", Kind::Text),
        Column::optional("executed_reason", Kind::Text),
        Column::needed("matured_at", Kind::Instant),
        Column::needed("outstanding_minor", Kind::Whole),
        Column::needed("collected_minor", Kind::Whole),
        Column::optional("days_to_payment", Kind::Real),
        Column::needed("paid", Kind::Flag),
        Column::needed("churned", Kind::Flag),
        Column::needed("complaint", Kind::Flag),
        Column::needed("support_contacts", Kind::Whole),
        Column::needed("opt_out", Kind::Flag),
        Column::needed("collection_case", Kind::Flag),
        Column::needed("cost_minor", Kind::Whole),
        Column::needed("fee_minor", Kind::Whole),
        Column::needed("value_minor", Kind::Real),
        Column::needed("censored", Kind::Flag),
    ];

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let decision_id = fields.needed("decision_id");
        let executed = executed(fields);
        let matured_at = fields.needed("matured_at");
        let outstanding_minor = fields.needed("outstanding_minor");
        let collected_minor = fields.needed("collected_minor");
        let days_to_payment = fields.optional("days_to_payment");
        let paid = fields.needed("paid");
        let churned = fields.needed("churned");
        let complaint = fields.needed("complaint");
        let support_contacts = fields.needed("support_contacts");
        let opt_out = fields.needed("opt_out");
        let collection_case = fields.needed("collection_case");
        let cost_minor = fields.needed("cost_minor");
        let fee_minor = fields.needed("fee_minor");
        let value_minor = fields.needed("value_minor");
        let censored = fields.needed("censored");
        Some(Self {
            decision_id: decision_id?,
            executed: executed?,
            matured_at: matured_at?,
            outstanding_minor: outstanding_minor?,
            collected_minor: collected_minor?,
            days_to_payment,
            paid: paid?,
            churned: churned?,
            complaint: complaint?,
            support_contacts: support_contacts?,
            opt_out: opt_out?,
            collection_case: collection_case?,
            cost_minor: cost_minor?,
            fee_minor: fee_minor?,
            value_minor: value_minor?,
            censored: censored?,
        })
    }

    fn write<'a>(&'a self, out: &mut OutRow<'a>) {
        let (executed, reason) = match &self.executed {
            Executed::Sent => (SENT, None),
            Executed::Cancelled { rule } => (CANCELLED, Some(rule)),
            Executed::Failed { reason } => (FAILED, Some(reason)),
        };
        out.put("decision_id", self.decision_id.as_str());
        out.put("executed", executed);
        out.put("executed_reason", reason);
        out.put("matured_at", self.matured_at);
        out.put("outstanding_minor", self.outstanding_minor);
        out.put("collected_minor", self.collected_minor);
        out.put("days_to_payment", self.days_to_payment);
        out.put("paid", self.paid);
        out.put("churned", self.churned);
        out.put("complaint", self.complaint);
        out.put("support_contacts", self.support_contacts);
        out.put("opt_out", self.opt_out);
        out.put("collection_case", self.collection_case);
        out.put("cost_minor", self.cost_minor);
        out.put("fee_minor", self.fee_minor);
        out.put("value_minor", self.value_minor);
        out.put("censored", self.censored);
    }

    fn row_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !self.value_minor.is_finite() {
            faults.push(Fault::new("value_minor", "is not a finite number"));
        }
        if self
            .days_to_payment
            .is_some_and(|days| !days.is_finite() || days < 0.0)
        {
            faults.push(Fault::new(
                "days_to_payment",
                "is not a finite number from 0",
            ));
        }
        faults
    }

    fn unique_key(&self) -> Option<(&'static str, &str)> {
        Some(("decision_id", self.decision_id.as_str()))
    }
}
