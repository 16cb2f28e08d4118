//! Which known name was probably meant.

/// Levenshtein's distance, by two rows of the table.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The known name nearest to `given`, if it is near enough to be a slip of the pen: one name
/// contains the other, or no more than a third of the letters differ.
pub(crate) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let given = plain(given);
    known
        .into_iter()
        .filter_map(|name| {
            let candidate = plain(name);
            let apart = distance(&given, &candidate);
            let near = apart * 3 <= given.chars().count().max(candidate.chars().count());
            let part =
                given.len() >= 3 && (candidate.contains(&given) || given.contains(&candidate));
            (near || part).then_some((apart, name))
        })
        .min_by_key(|&(apart, _)| apart)
        .map(|(_, name)| name)
}

/// `; did you mean X?`, or nothing.
pub(crate) fn hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["customer_id", "invoice_id", "amount_minor"];
        assert_eq!(nearest("customerId", known), Some("customer_id"));
        assert_eq!(nearest("Amount-Minor", known), Some("amount_minor"));
        assert_eq!(nearest("amount", known), Some("amount_minor"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
