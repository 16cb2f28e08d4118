//! Which time zones a country has, for customers whose own zone is unknown.

use lagom_features::domain::{Country, Zone};

/// Zones in which a country's people live, the most populous first. Dependencies with a country
/// code of their own are left out. A country that is not here has no hours known to be safe.
const ZONES: &[(&str, &[&str])] = &[
    ("AT", &["Europe/Vienna"]),
    ("BE", &["Europe/Brussels"]),
    ("BG", &["Europe/Sofia"]),
    ("CH", &["Europe/Zurich"]),
    ("CY", &["Asia/Nicosia"]),
    ("CZ", &["Europe/Prague"]),
    ("DE", &["Europe/Berlin"]),
    ("DK", &["Europe/Copenhagen"]),
    ("EE", &["Europe/Tallinn"]),
    ("ES", &["Europe/Madrid", "Atlantic/Canary"]),
    ("FI", &["Europe/Helsinki"]),
    ("FR", &["Europe/Paris"]),
    ("GB", &["Europe/London"]),
    ("GR", &["Europe/Athens"]),
    ("HR", &["Europe/Zagreb"]),
    ("HU", &["Europe/Budapest"]),
    ("IE", &["Europe/Dublin"]),
    ("IS", &["Atlantic/Reykjavik"]),
    ("IT", &["Europe/Rome"]),
    ("LT", &["Europe/Vilnius"]),
    ("LU", &["Europe/Luxembourg"]),
    ("LV", &["Europe/Riga"]),
    ("MT", &["Europe/Malta"]),
    ("NL", &["Europe/Amsterdam"]),
    ("NO", &["Europe/Oslo"]),
    ("PL", &["Europe/Warsaw"]),
    ("PT", &["Europe/Lisbon", "Atlantic/Azores"]),
    ("RO", &["Europe/Bucharest"]),
    ("SE", &["Europe/Stockholm"]),
    ("SI", &["Europe/Ljubljana"]),
    ("SK", &["Europe/Bratislava"]),
    (
        "US",
        &[
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Phoenix",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ],
    ),
];

/// Every zone of `country`; none where the country is not in the table.
#[must_use]
pub fn of(country: Country) -> Vec<Zone> {
    let names = ZONES.iter().find(|(code, _)| *code == country.as_str());
    let names = names.map_or(&[][..], |(_, names)| names);
    names
        .iter()
        .filter_map(|name| Zone::parse(name).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_zone_of_the_table_exists() {
        for (code, names) in ZONES {
            let zones = of(Country::new(code).unwrap());
            assert_eq!(zones.len(), names.len(), "{code}");
        }
        assert!(of(Country::new("XX").unwrap()).is_empty());
    }
}
