//! The rules of countries in the reader's words. The law itself, with its paragraph, is the rule's source
//! and stands beside them.

pub(super) const COUNTRIES: [(&str, [&str; 3]); 40] = [
    (
        "SE.fee_agreed",
        [
            "No fee was agreed on when the debt arose",
            "Avgiften avtalades inte när skulden uppstod",
            "Bij het ontstaan van de schuld zijn geen kosten afgesproken",
        ],
    ),
    (
        "SE.fee_written",
        [
            "A fee asks for a written reminder",
            "Avgift kräver en skriftlig påminnelse",
            "Kosten vragen een schriftelijke herinnering",
        ],
    ),
    (
        "SE.reminder_fee_cap",
        [
            "The reminder's fee is above 60 kronor",
            "Påminnelseavgiften är över 60 kronor",
            "De herinneringskosten zijn hoger dan 60 kronor",
        ],
    ),
    (
        "SE.claim_fee_cap",
        [
            "The claim's fee is above 180 kronor",
            "Kravavgiften är över 180 kronor",
            "De kosten van de aanmaning zijn hoger dan 180 kronor",
        ],
    ),
    (
        "SE.plan_fee_cap",
        [
            "The payment plan's fee is above 170 kronor",
            "Avgiften för avbetalningsplanen är över 170 kronor",
            "De kosten van de betalingsregeling zijn hoger dan 170 kronor",
        ],
    ),
    (
        "SE.late_payment_compensation",
        [
            "Compensation between businesses is above 450 kronor",
            "Förseningsersättningen mellan företag är över 450 kronor",
            "De vergoeding tussen bedrijven is hoger dan 450 kronor",
        ],
    ),
    (
        "SE.one_reminder_fee",
        [
            "One reminder may cost something",
            "Bara en påminnelse får kosta",
            "Eén herinnering mag iets kosten",
        ],
    ),
    (
        "SE.claim_deadline",
        [
            "Time to pay after a claim",
            "Tid att betala efter ett krav",
            "Tijd om te betalen na een aanmaning",
        ],
    ),
    (
        "DE.fee_after_due",
        [
            "A fee before the invoice is late",
            "Avgift innan fakturan är försenad",
            "Kosten voordat de factuur te laat is",
        ],
    ),
    (
        "DE.first_reminder_free",
        [
            "The first reminder is free",
            "Första påminnelsen är gratis",
            "De eerste herinnering is gratis",
        ],
    ),
    (
        "DE.reminder_fee_cap",
        [
            "The reminder's fee is too high",
            "Påminnelseavgiften är för hög",
            "De herinneringskosten zijn te hoog",
        ],
    ),
    (
        "DE.late_payment_compensation",
        [
            "Compensation between businesses is above 40 euros",
            "Förseningsersättningen mellan företag är över 40 euro",
            "De vergoeding tussen bedrijven is hoger dan 40 euro",
        ],
    ),
    (
        "DK.reminder_fee_cap",
        [
            "The reminder's fee is above 100 kroner",
            "Påminnelseavgiften är över 100 danska kronor",
            "De herinneringskosten zijn hoger dan 100 kroon",
        ],
    ),
    (
        "DK.fee_count",
        [
            "Three reminders may cost something",
            "Högst tre påminnelser får kosta",
            "Drie herinneringen mogen iets kosten",
        ],
    ),
    (
        "DK.fee_gap",
        [
            "Ten days between reminders that cost",
            "Tio dagar mellan påminnelser som kostar",
            "Tien dagen tussen herinneringen die iets kosten",
        ],
    ),
    (
        "EU-B2B.compensation",
        [
            "Compensation between businesses is above 40 euros",
            "Förseningsersättningen mellan företag är över 40 euro",
            "De vergoeding tussen bedrijven is hoger dan 40 euro",
        ],
    ),
    (
        "EU-B2B.fee_after_due",
        [
            "A fee before interest for lateness is due",
            "Avgift innan dröjsmålsränta får tas ut",
            "Kosten voordat rente wegens te late betaling verschuldigd is",
        ],
    ),
    (
        "FI.reminder_fee_cap",
        [
            "The reminder's fee is above 5 euros",
            "Påminnelseavgiften är över 5 euro",
            "De herinneringskosten zijn hoger dan 5 euro",
        ],
    ),
    (
        "FI.claim_fee_cap_small",
        [
            "The claim's fee is too high for a small debt",
            "Kravavgiften är för hög för en liten skuld",
            "De kosten van de aanmaning zijn te hoog voor een kleine schuld",
        ],
    ),
    (
        "FI.claim_fee_cap_middle",
        [
            "The claim's fee is too high for a medium debt",
            "Kravavgiften är för hög för en medelstor skuld",
            "De kosten van de aanmaning zijn te hoog voor een middelgrote schuld",
        ],
    ),
    (
        "FI.claim_fee_cap_large",
        [
            "The claim's fee is too high for a large debt",
            "Kravavgiften är för hög för en stor skuld",
            "De kosten van de aanmaning zijn te hoog voor een grote schuld",
        ],
    ),
    (
        "FI.claims",
        [
            "Two claims at most",
            "Högst två krav",
            "Hoogstens twee aanmaningen",
        ],
    ),
    (
        "NL.fourteen_day_letter",
        [
            "A free reminder and fourteen days come first",
            "Först en gratis påminnelse och fjorton dagar",
            "Eerst een gratis herinnering en veertien dagen",
        ],
    ),
    (
        "NL.collection_cost_scale",
        [
            "The collection costs are above the legal scale",
            "Inkassokostnaden är över den lagliga skalan",
            "De incassokosten zijn hoger dan de wettelijke staffel",
        ],
    ),
    (
        "NO.fee_after_due",
        [
            "A fee within fourteen days after the due date",
            "Avgift inom fjorton dagar efter förfallodagen",
            "Kosten binnen veertien dagen na de vervaldag",
        ],
    ),
    (
        "NO.fee_count",
        [
            "Two reminders may cost something",
            "Högst två påminnelser får kosta",
            "Twee herinneringen mogen iets kosten",
        ],
    ),
    (
        "NO.fee_gap",
        [
            "Fourteen days after a reminder that costs",
            "Fjorton dagar efter en påminnelse som kostar",
            "Veertien dagen na een herinnering die iets kost",
        ],
    ),
    (
        "NO.fee_written",
        [
            "A fee asks for a written reminder",
            "Avgift kräver en skriftlig påminnelse",
            "Kosten vragen een schriftelijke herinnering",
        ],
    ),
    (
        "NO.reminder_fee_cap",
        [
            "The reminder's fee is above this year's cap",
            "Påminnelseavgiften är över årets tak",
            "De herinneringskosten zijn hoger dan het maximum van dit jaar",
        ],
    ),
    (
        "NO.contact_hours",
        [
            "Outside the hours for contact",
            "Utanför tiderna för kontakt",
            "Buiten de uren voor contact",
        ],
    ),
    (
        "UK.breathing_space",
        [
            "A breathing space runs",
            "Ett lagligt andrum löper",
            "Er loopt een wettelijke adempauze",
        ],
    ),
    (
        "UK.mental_health_crisis",
        [
            "A mental health crisis moratorium runs",
            "Ett anstånd vid psykisk kris löper",
            "Er loopt uitstel wegens een psychische crisis",
        ],
    ),
    (
        "UK.plan_in_preparation",
        [
            "A repayment plan is being drawn up",
            "En avbetalningsplan tas fram",
            "Er wordt een betalingsregeling opgesteld",
        ],
    ),
    (
        "UK.late_payment_compensation_small",
        [
            "Compensation is too high for a small debt",
            "Förseningsersättningen är för hög för en liten skuld",
            "De vergoeding is te hoog voor een kleine schuld",
        ],
    ),
    (
        "UK.late_payment_compensation_middle",
        [
            "Compensation is too high for a medium debt",
            "Förseningsersättningen är för hög för en medelstor skuld",
            "De vergoeding is te hoog voor een middelgrote schuld",
        ],
    ),
    (
        "UK.late_payment_compensation_large",
        [
            "Compensation is too high for a large debt",
            "Förseningsersättningen är för hög för en stor skuld",
            "De vergoeding is te hoog voor een grote schuld",
        ],
    ),
    (
        "US.calls",
        [
            "Seven calls in seven days",
            "Sju telefonsamtal på sju dagar",
            "Zeven telefoontjes in zeven dagen",
        ],
    ),
    (
        "US.conversation",
        [
            "Seven days without a call after a conversation",
            "Sju dagar utan samtal efter ett samtal",
            "Zeven dagen zonder telefoontje na een gesprek",
        ],
    ),
    (
        "US.hours",
        [
            "Too early or too late for the customer",
            "För tidigt eller för sent för kunden",
            "Te vroeg of te laat voor de klant",
        ],
    ),
    (
        "US.electronic_hours",
        [
            "Too early or too late for an electronic message",
            "För tidigt eller för sent för ett elektroniskt meddelande",
            "Te vroeg of te laat voor een elektronisch bericht",
        ],
    ),
];
