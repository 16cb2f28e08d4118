//! Actions in the reader's words: `reminder.sms.friendly.d1-evening` is “Reminder, SMS, friendly, next
//! day, evening”.

use super::Lang;

/// The parts of an action, by their one spelling in files.
const PARTS: [(&str, [&str; 3]); 26] = [
    ("wait", ["Wait", "Vänta", "Wachten"]),
    (
        "pre_due_notice",
        [
            "Notice before the due date",
            "Avisering före förfallodagen",
            "Bericht vóór de vervaldag",
        ],
    ),
    (
        "due_date_notice",
        [
            "Due-date notice",
            "Avisering om förfallodag",
            "Bericht over de vervaldag",
        ],
    ),
    ("reminder", ["Reminder", "Påminnelse", "Herinnering"]),
    (
        "invoice_redelivery",
        [
            "Invoice sent again",
            "Fakturan skickad igen",
            "Factuur opnieuw verstuurd",
        ],
    ),
    (
        "plan_offer",
        [
            "Offer of a payment plan",
            "Erbjudande om avbetalning",
            "Aanbod van een betalingsregeling",
        ],
    ),
    (
        "discount_offer",
        [
            "Offer of a discount",
            "Erbjudande om rabatt",
            "Aanbod van een korting",
        ],
    ),
    (
        "fee_waiver",
        ["Fee waived", "Avgift efterskänkt", "Kosten kwijtgescholden"],
    ),
    (
        "autopay_offer",
        [
            "Offer of automatic payment",
            "Erbjudande om autogiro",
            "Aanbod van automatische incasso",
        ],
    ),
    (
        "retry_debit",
        [
            "Debit tried again",
            "Nytt dragningsförsök",
            "Nieuwe afschrijving",
        ],
    ),
    (
        "collection_claim",
        ["Collection claim", "Inkassokrav", "Incassoaanmaning"],
    ),
    (
        "human_review",
        [
            "Review by a person",
            "Granskning av en person",
            "Beoordeling door een mens",
        ],
    ),
    ("email", ["email", "e-post", "e-mail"]),
    ("sms", ["SMS", "sms", "sms"]),
    ("letter", ["letter", "brev", "brief"]),
    ("app_push", ["app", "app", "app"]),
    (
        "digital_mailbox",
        ["digital mailbox", "digital brevlåda", "digitale brievenbus"],
    ),
    ("phone", ["phone", "telefon", "telefoon"]),
    ("friendly", ["friendly", "vänlig", "vriendelijk"]),
    ("neutral", ["neutral", "neutral", "neutraal"]),
    ("firm", ["firm", "bestämd", "streng"]),
    ("final", ["final", "sista", "laatste"]),
    ("morning", ["morning", "morgon", "ochtend"]),
    ("midday", ["midday", "mitt på dagen", "middag"]),
    ("evening", ["evening", "kväll", "avond"]),
    ("none", ["", "", ""]),
];

/// An action, or the parts of one, in words; what lagom does not know is left as it is written.
#[must_use]
pub fn words(lang: Lang, id: &str) -> String {
    // A step without channel and tone is one that a person takes.
    if id == "none.none" {
        return known(lang, "human_review").unwrap_or_default().to_owned();
    }
    let mut said = Vec::new();
    for part in id.split('.') {
        match known(lang, part) {
            Some("") => {}
            Some(words) => said.push(words.to_owned()),
            None => said.push(timing(lang, part).unwrap_or_else(|| part.replace('_', " "))),
        }
    }
    let text = said.join(", ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

fn known(lang: Lang, part: &str) -> Option<&'static str> {
    let found = PARTS.iter().find(|(name, _)| *name == part)?;
    Some(lang.say(found.1))
}

/// `d1-evening`: so many days after the decision, and a part of the day.
fn timing(lang: Lang, part: &str) -> Option<String> {
    let (days, when) = part.strip_prefix('d')?.split_once('-')?;
    let days: u32 = days.parse().ok()?;
    let when = known(lang, when)?;
    let day = match days {
        0 => lang.say(["same day", "samma dag", "zelfde dag"]).to_owned(),
        1 => lang
            .say(["next day", "nästa dag", "volgende dag"])
            .to_owned(),
        days => lang
            .say(["after {} days", "efter {} dagar", "na {} dagen"])
            .replace("{}", &days.to_string()),
    };
    Some(format!("{day}, {when}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lagom_features::domain::{Channel, Kind, PartOfDay, Tone};

    #[test]
    fn an_action_reads_as_a_person_would_say_it() {
        let id = "reminder.sms.friendly.d1-evening";
        assert_eq!(
            words(Lang::En, id),
            "Reminder, SMS, friendly, next day, evening"
        );
        assert_eq!(
            words(Lang::Sv, id),
            "Påminnelse, sms, vänlig, nästa dag, kväll"
        );
        assert_eq!(words(Lang::Nl, "wait.none.none"), "Wachten");
        assert_eq!(words(Lang::En, "none.none"), "Review by a person");
        assert_eq!(words(Lang::En, "email.neutral"), "Email, neutral");
        assert_eq!(
            words(Lang::En, "reminder.email.firm.d3-midday.by_name"),
            "Reminder, email, firm, after 3 days, midday, by name"
        );
    }

    #[test]
    fn every_part_of_every_action_has_words() {
        let names = (Kind::ALL.iter().map(|one| one.name()))
            .chain(Channel::ALL.iter().map(|one| one.name()))
            .chain(Tone::ALL.iter().map(|one| one.name()))
            .chain(PartOfDay::ALL.iter().map(|one| one.name()));
        for name in names {
            assert!(known(Lang::Sv, name).is_some(), "{name} has no words");
        }
    }
}
