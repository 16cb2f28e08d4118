//! The words that a spec may use for columns, facets and attributes.

use crate::domain::named::named_enum;

named_enum! {
    /// A value that the rows of a source carry.
    pub enum Column as "column" {
        /// Money of the row in minor units; unknown where it is of another currency than the
        /// invoice in question.
        Amount = "amount",
        /// Natural logarithm of 1 + `amount`.
        LogAmount = "log_amount",
        /// Seconds on the screen.
        DwellSeconds = "dwell_seconds",
        /// Hour of the day in the customer's zone, with minutes as a fraction, 0 to 24.
        LocalHour = "local_hour",
        /// Whole days from the due date to the settlement, negative if early.
        LagDays = "lag_days",
        /// 1 where the invoice was still open at the first instant after its due date, else 0.
        Late = "late",
        /// Days from issue to settlement.
        DaysToSettle = "days_to_settle",
        /// What is still owed, in minor units.
        Outstanding = "outstanding",
        /// Days from issue to the due date.
        TermsDays = "terms_days",
        /// 1 where it was opened or viewed, else 0.
        Opened = "opened",
        /// Days from delivery (or issue, where no delivery is known) to the first opening.
        DaysToOpen = "days_to_open",
        /// 1 where an opening or view followed within seven days, 0 where none did; unknown while
        /// the seven days run.
        LedToOpen = "led_to_open",
        /// The same for a followed link.
        LedToClick = "led_to_click",
        /// The same for a payment.
        LedToPayment = "led_to_payment",
    }
}

named_enum! {
    /// A facet whose different values `distinct` counts.
    pub enum Facet as "facet" {
        /// Channel of the event.
        Channel = "channel",
        /// Device of the event.
        Device = "device",
        /// Method of the payment.
        Method = "method",
        /// Invoice of the row.
        Invoice = "invoice",
        /// Calendar day in the customer's zone.
        Day = "day",
    }
}

named_enum! {
    /// A fact about the customer, the invoice in question or the calendar.
    pub enum Attribute as "attribute" {
        /// Days since the customer became one.
        TenureDays = "tenure_days",
        /// 1 where invoices are paid automatically, by the last event or the description.
        Autopay = "autopay",
        /// 1 for a company, 0 for a person.
        Business = "business",
        /// Worth a year, in minor units of its own currency.
        AnnualMargin = "annual_margin",
        /// The company's segment; needs `levels`.
        Segment = "segment",
        /// Country code; needs `levels`.
        Country = "country",
        /// Language tag; needs `levels`.
        Language = "language",
        /// Amount at issue, in minor units.
        InvoiceAmount = "invoice_amount",
        /// Still owed, in minor units.
        InvoiceOutstanding = "invoice_outstanding",
        /// Still owed, as a share of the amount at issue.
        OutstandingShare = "outstanding_share",
        /// Days of 24 hours since issue.
        DaysSinceIssue = "days_since_issue",
        /// Calendar days since the due date in the customer's zone, negative before it.
        DaysPastDue = "days_past_due",
        /// Agreed days from issue to due, or those between the two dates.
        InvoiceTermsDays = "invoice_terms_days",
        /// 1 while a dispute is open.
        Disputed = "disputed",
        /// 1 while a promised day lies ahead.
        Promised = "promised",
        /// 1 once the last promised day has passed.
        PromiseBroken = "promise_broken",
        /// 1 while a plan runs.
        PlanRunning = "plan_running",
        /// 1 while the case is with a collector.
        InCollection = "in_collection",
        /// 1 while money is on its way.
        PaymentInFlight = "payment_in_flight",
        /// 1 where the due date was moved.
        DueDateMoved = "due_date_moved",
        /// How it is to be paid; needs `levels`.
        PaymentMethod = "payment_method",
        /// How it was delivered; needs `levels`.
        BillingChannel = "billing_channel",
        /// What it is for; needs `levels`.
        Product = "product",
        /// Day of the week of the due date, Monday 0 to Sunday 6.
        DueWeekday = "due_weekday",
        /// Day of the month of the due date, 1 to 31.
        DueDayOfMonth = "due_day_of_month",
        /// Day of the week in the customer's zone, Monday 0 to Sunday 6.
        Weekday = "weekday",
        /// Day of the month in the customer's zone, 1 to 31.
        DayOfMonth = "day_of_month",
        /// Month in the customer's zone, 1 to 12.
        Month = "month",
        /// Hour in the customer's zone, with minutes as a fraction, 0 to 24.
        Hour = "hour",
        /// Days to the next of the `days` of the month, 0 on one of them.
        DaysToPayday = "days_to_payday",
        /// Days since the last of the `days` of the month, 0 on one of them.
        DaysSincePayday = "days_since_payday",
    }
}

/// What an attribute is about, which is the `source` that declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `customer`
    Customer,
    /// `invoice`
    Invoice,
    /// `calendar`
    Calendar,
}

impl Attribute {
    /// The source that it belongs to.
    #[must_use]
    pub const fn subject(self) -> Subject {
        match self {
            Self::TenureDays
            | Self::Autopay
            | Self::Business
            | Self::AnnualMargin
            | Self::Segment
            | Self::Country
            | Self::Language => Subject::Customer,
            Self::Weekday
            | Self::DayOfMonth
            | Self::Month
            | Self::Hour
            | Self::DaysToPayday
            | Self::DaysSincePayday => Subject::Calendar,
            _ => Subject::Invoice,
        }
    }

    /// Whether its values are words, which become columns by `levels`.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Segment
                | Self::Country
                | Self::Language
                | Self::PaymentMethod
                | Self::BillingChannel
                | Self::Product
        )
    }

    /// Whether it is counted from declared days of the month.
    #[must_use]
    pub const fn needs_days(self) -> bool {
        matches!(self, Self::DaysToPayday | Self::DaysSincePayday)
    }
}
