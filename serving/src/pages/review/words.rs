//! Metrics and reasons in the reader's words.

use super::document::{Failure, Metric, Reason, Verdict};
use crate::pages::shell::Tone;
use crate::pages::{Lang, Reader};

/// How a metric's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit<'a> {
    /// A share of one, as per cent; differences in percentage points.
    Share,
    /// Days.
    Days,
    /// What happens to few, counted per hundred.
    Hundred,
    /// Amounts of a currency, which may be unknown.
    Money(&'a str),
    /// Anything else.
    Plain,
}

/// An amount, until its currency is known.
const MONEY: Unit<'static> = Unit::Money("");

/// Names of the metrics that lagom itself counts, and of usual ones.
const KNOWN: [(&str, Unit<'static>, [&str; 3]); 21] = [
    (
        "collection_rate",
        Unit::Share,
        [
            "Collected of what was billed",
            "Inbetalt av fakturerat",
            "Geïnd van het gefactureerde",
        ],
    ),
    (
        "paid_invoices",
        Unit::Share,
        ["Invoices paid", "Betalda fakturor", "Betaalde facturen"],
    ),
    (
        "days_outstanding",
        Unit::Days,
        [
            "Days money was outstanding, by amount",
            "Dagar pengar var utestående, per belopp",
            "Dagen dat geld uitstond, naar bedrag",
        ],
    ),
    (
        "dso60",
        Unit::Days,
        [
            "Days money was outstanding, by amount (60 at most)",
            "Dagar pengar var utestående, per belopp (högst 60)",
            "Dagen dat geld uitstond, naar bedrag (hoogstens 60)",
        ],
    ),
    (
        "collected",
        MONEY,
        [
            "Collected per customer",
            "Inbetalt per kund",
            "Geïnd per klant",
        ],
    ),
    (
        "collected60",
        MONEY,
        [
            "Collected per customer in 60 days",
            "Inbetalt per kund på 60 dagar",
            "Geïnd per klant in 60 dagen",
        ],
    ),
    (
        "value",
        MONEY,
        [
            "Net value per customer",
            "Nettovärde per kund",
            "Nettowaarde per klant",
        ],
    ),
    (
        "complaint",
        Unit::Share,
        [
            "Customers who complained",
            "Kunder som klagade",
            "Klanten die klaagden",
        ],
    ),
    (
        "churn",
        Unit::Share,
        [
            "Customers who left",
            "Kunder som lämnade",
            "Vertrokken klanten",
        ],
    ),
    (
        "opt_out",
        Unit::Share,
        [
            "Customers who opted out of a channel",
            "Kunder som avanmälde en kanal",
            "Klanten die een kanaal afmeldden",
        ],
    ),
    (
        "support_contacts",
        Unit::Hundred,
        [
            "Support contacts per 100 customers",
            "Kontakter med kundtjänst per 100 kunder",
            "Contacten met de klantenservice per 100 klanten",
        ],
    ),
    (
        "contacts_per_invoice",
        Unit::Hundred,
        [
            "Support contacts per 100 invoices",
            "Kontakter med kundtjänst per 100 fakturor",
            "Contacten met de klantenservice per 100 facturen",
        ],
    ),
    (
        "messages",
        Unit::Hundred,
        [
            "Messages sent per 100 customers",
            "Skickade meddelanden per 100 kunder",
            "Verzonden berichten per 100 klanten",
        ],
    ),
    (
        "collection_cases",
        Unit::Hundred,
        [
            "Collection cases per 100 customers",
            "Inkassoärenden per 100 kunder",
            "Incassozaken per 100 klanten",
        ],
    ),
    (
        "inkasso_per_invoice",
        Unit::Hundred,
        [
            "Collection cases per 100 invoices",
            "Inkassoärenden per 100 fakturor",
            "Incassozaken per 100 facturen",
        ],
    ),
    (
        "fees",
        MONEY,
        [
            "Reminder fees per customer",
            "Påminnelseavgifter per kund",
            "Aanmaningskosten per klant",
        ],
    ),
    (
        "cost",
        MONEY,
        [
            "Cost of messages per customer",
            "Kostnad för meddelanden per kund",
            "Kosten van berichten per klant",
        ],
    ),
    (
        "nps",
        Unit::Plain,
        ["Satisfaction (NPS)", "Nöjdhet (NPS)", "Tevredenheid (NPS)"],
    ),
    (
        "pre_cash",
        MONEY,
        [
            "paid before the start",
            "betalt före starten",
            "betaald vóór de start",
        ],
    ),
    (
        "billed_before",
        MONEY,
        [
            "billed before the start",
            "fakturerat före starten",
            "gefactureerd vóór de start",
        ],
    ),
    (
        "paid_before",
        MONEY,
        [
            "paid before the start",
            "betalt före starten",
            "betaald vóór de start",
        ],
    ),
];

/// A metric's name for people; a name that lagom does not know is shown with spaces.
pub(super) fn name(lang: Lang, metric: &str) -> String {
    let known = KNOWN.iter().find(|(name, ..)| *name == metric);
    known.map_or_else(
        || metric.replace('_', " "),
        |(_, _, words)| lang.say(*words).to_owned(),
    )
}

/// How a metric is written; what lagom does not know and was yes or no is a share.
pub(super) fn unit(metric: &Metric) -> Unit<'_> {
    let known = KNOWN.iter().find(|(name, ..)| *name == metric.name);
    match known {
        Some((_, Unit::Money(_), _)) => Unit::Money(&metric.currency),
        Some((_, unit, _)) => *unit,
        None if metric.proportions.is_some() => Unit::Share,
        None => Unit::Plain,
    }
}

/// Decimals that leave three or four figures of a number of this size.
pub(super) fn decimals(size: f64) -> usize {
    match size.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    }
}

impl Unit<'_> {
    /// A level.
    pub(super) fn level(self, lang: Lang, value: f64) -> String {
        match self {
            Self::Share => lang.percent(value, 1),
            Self::Days => lang.number(value, 1),
            Self::Hundred => lang.number(100.0 * value, hundredths(value)),
            Self::Money(currency) => lang.money(value, currency, decimals(value).min(2)),
            Self::Plain => lang.number(value, decimals(value)),
        }
    }

    /// A difference, written at the precision of levels of this size.
    pub(super) fn difference(self, lang: Lang, value: f64, size: f64) -> String {
        self.named(lang, self.bare(lang, value, size))
    }

    /// An interval of differences; an open end is said in words.
    pub(super) fn interval(self, lang: Lang, ends: [Option<f64>; 2], size: f64) -> String {
        let open = lang.say(["no limit", "ingen gräns", "geen grens"]);
        let [low, high] =
            ends.map(|end| end.map_or_else(|| open.to_owned(), |end| self.bare(lang, end, size)));
        let range = format!("{low} {} {high}", lang.say(["to", "till", "tot"]));
        // The unit of a number does not follow words.
        if ends[1].is_none() {
            return range;
        }
        self.named(lang, range)
    }

    /// A difference at a tick of an axis, with the decimals that the ticks need.
    pub(super) fn tick(self, lang: Lang, value: f64, decimals: usize) -> String {
        match self {
            Self::Share | Self::Hundred => {
                let text = lang.signed(100.0 * value, decimals.saturating_sub(2));
                self.named(lang, text)
            }
            Self::Days => self.named(lang, lang.signed(value, decimals)),
            Self::Money(_) | Self::Plain => lang.signed(value, decimals),
        }
    }

    fn bare(self, lang: Lang, value: f64, size: f64) -> String {
        match self {
            Self::Share => lang.signed(100.0 * value, 1),
            Self::Days => lang.signed(value, 1),
            Self::Hundred => lang.signed(100.0 * value, hundredths(size)),
            Self::Money(_) => lang.signed(value, decimals(size).min(2)),
            Self::Plain => lang.signed(value, decimals(size)),
        }
    }

    /// A number, or a range of them, with the unit's name.
    fn named(self, lang: Lang, number: String) -> String {
        let unit = match self {
            Self::Share => lang.say(["pp", "pe", "pp"]),
            Self::Days => lang.say(["days", "dagar", "dagen"]),
            Self::Money(currency) => return lang.in_currency(number, currency),
            Self::Hundred | Self::Plain => return number,
        };
        format!("{number}\u{a0}{unit}")
    }
}

/// Decimals of a count per hundred, of this size per one.
fn hundredths(size: f64) -> usize {
    decimals(100.0 * size).min(2)
}

/// The verdict: its tone and its words.
pub(super) fn verdict(
    reader: &Reader,
    verdict: Verdict,
    control: &str,
    treatment: &str,
) -> (Tone, String) {
    let (tone, words) = match verdict {
        Verdict::Ship => (
            Tone::Good,
            [
                "Use T: it is better and does no harm.",
                "Inför T: den är bättre och skadar inte.",
                "Voer T in: beter en zonder schade.",
            ],
        ),
        Verdict::KeepRunning => (
            Tone::Quiet,
            [
                "Keep running: nothing is decided yet.",
                "Fortsätt: inget är avgjort än.",
                "Laat doorlopen: er is nog niets beslist.",
            ],
        ),
        Verdict::StopForHarm => (
            Tone::Bad,
            [
                "Stop T: it does harm.",
                "Stoppa T: den skadar.",
                "Stop T: het richt schade aan.",
            ],
        ),
        Verdict::KeepControl => (
            Tone::Warn,
            [
                "Keep C: the rule for a change is not met.",
                "Behåll C: regeln för ett byte är inte uppfylld.",
                "Houd C: aan de regel voor een wissel is niet voldaan.",
            ],
        ),
        Verdict::CannotJudge => (
            Tone::Bad,
            [
                "Cannot be judged: the numbers cannot be trusted.",
                "Kan inte bedömas: siffrorna går inte att lita på.",
                "Niet te beoordelen: de cijfers zijn niet te vertrouwen.",
            ],
        ),
    };
    let words = reader.say(words).split(' ').map(|word| match word {
        "T" | "T:" => word.replace('T', &format!("“{treatment}”")),
        "C" | "C:" => word.replace('C', &format!("“{control}”")),
        other => other.to_owned(),
    });
    (tone, words.collect::<Vec<_>>().join(" "))
}

/// A ground of the verdict, as a sentence.
pub(super) fn reason(reader: &Reader, reason: &Reason) -> String {
    let lang = reader.lang;
    let with = |words: [&str; 3], metric: &str| lang.say(words).replace("{}", &name(lang, metric));
    match reason {
        Reason::Integrity(one) => failure(reader, one),
        Reason::GuardrailHarmful { metric } => with(
            [
                "{}: worse, and beyond what was allowed.",
                "{}: sämre, och mer än vad som tilläts.",
                "{}: slechter, en meer dan was toegestaan.",
            ],
            metric,
        ),
        Reason::Deteriorated { metric } => with(
            [
                "{}: worse than in the control group.",
                "{}: sämre än i kontrollgruppen.",
                "{}: slechter dan in de controlegroep.",
            ],
            metric,
        ),
        Reason::Superior { metric } => with(["{}: better.", "{}: bättre.", "{}: beter."], metric),
        Reason::NoneSuperior => lang
            .say([
                "No goal is shown to be better.",
                "Inget mål är visat bättre.",
                "Van geen doel is aangetoond dat het beter is.",
            ])
            .to_owned(),
        Reason::GuardrailOpen { metric } => with(
            [
                "{}: not yet shown to be safe.",
                "{}: ännu inte visat säkert.",
                "{}: nog niet aangetoond veilig.",
            ],
            metric,
        ),
        Reason::GuardrailsSafe => lang
            .say([
                "Every guardrail is within its margin.",
                "Varje skyddsmått är inom sin marginal.",
                "Elke vangrail is binnen zijn marge.",
            ])
            .to_owned(),
        Reason::PlannedSizeNotReached { reached, planned } => lang
            .say([
                "{} of {} planned customers are in.",
                "{} av {} planerade kunder är med.",
                "{} van {} geplande klanten doen mee.",
            ])
            .replacen("{}", &lang.count(*reached), 1)
            .replacen("{}", &lang.count(*planned), 1),
    }
}

/// A failed integrity check: what is wrong, and what follows.
pub(super) fn failure(reader: &Reader, failure: &Failure) -> String {
    let lang = reader.lang;
    let counted = |words: [&str; 3], n: u64| lang.say(words).replace("{}", &lang.count(n));
    match failure {
        Failure::SampleRatio { p } => lang
            .say([
                "The groups' sizes do not fit their planned shares (p {}): customers went missing or astray, so the groups are not alike.",
                "Gruppernas storlek passar inte de planerade andelarna (p {}): kunder har försvunnit eller hamnat fel, så grupperna är inte lika.",
                "De groepsgroottes passen niet bij de geplande aandelen (p {}): klanten zijn verdwenen of verdwaald, dus de groepen zijn niet gelijk.",
            ])
            .replace("{}", &lang.p(*p)),
        Failure::Leak { customers } => counted(["{} customers are in a group that was to get none.", "{} kunder är i en grupp som inte skulle ha några.", "{} klanten zitten in een groep die er geen zou krijgen."], *customers),
        Failure::MixedExposure { customers } => counted(["{} customers were in several groups.", "{} kunder var i flera grupper.", "{} klanten zaten in meerdere groepen."], *customers),
        Failure::TrainingNotIsolated => lang.say(["The reviewed policy learnt from this experiment's own customers.", "Policyn lärde sig av experimentets egna kunder.", "Het beoordeelde beleid leerde van de eigen klanten van dit experiment."]).to_owned(),
        Failure::PlanChanged => lang.say(["The plan was changed after the start.", "Planen ändrades efter starten.", "Het plan is na de start gewijzigd."]).to_owned(),
        Failure::OffPolicyDisagrees { arm } => lang
            .say([
                "What the logged probabilities of {} say of the control is not what the control shows: they are not those that were drawn by, or the groups differ in more than their policy.",
                "Vad de loggade sannolikheterna för {} säger om kontrollgruppen är inte vad kontrollgruppen visar: de är inte de som lottningen följde, eller så skiljer sig grupperna i mer än policyn.",
                "Wat de gelogde kansen van {} over de controlegroep zeggen is niet wat de controlegroep laat zien: het zijn niet de kansen waarmee is geloot, of de groepen verschillen in meer dan hun beleid.",
            ])
            .replace("{}", arm),
        Failure::TooFewCustomers { smaller_arm, needed } => lang
            .say([
                "The smaller group has {} customers; {} are needed before anything is judged.",
                "Den mindre gruppen har {} kunder; {} behövs innan något bedöms.",
                "De kleinste groep heeft {} klanten; er zijn er {} nodig voordat iets wordt beoordeeld.",
            ])
            .replacen("{}", &lang.count(*smaller_arm), 1)
            .replacen("{}", &lang.count(*needed), 1),
    }
}
