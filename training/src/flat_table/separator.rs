//! Finds the byte between the fields of a text file from its first records.

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
const RECORDS_LOOKED_AT: usize = 50;

/// The separator of the text whose beginning is `head`.
///
/// Each candidate cuts the first 50 records, quotes respected. The one that cuts the header into the most fields,
/// and every other whole record into as many, wins; failing that, the one most frequent in the header; a file of
/// one column reads as comma-separated.
pub(super) fn sniff(head: &[u8]) -> u8 {
    let best_of = |consistent: bool| {
        CANDIDATES
            .into_iter()
            .filter_map(|candidate| {
                let widths = widths(head, candidate);
                let first = *widths.first()?;
                let agree = widths.iter().all(|width| *width == first);
                (first > 1 && (agree || !consistent)).then_some((first, candidate))
            })
            .rev()
            .max_by_key(|(width, _)| *width)
            .map(|(_, candidate)| candidate)
    };
    best_of(true).or_else(|| best_of(false)).unwrap_or(b',')
}

/// Fields in each of the first records; the last record is left out when it may have been cut short.
fn widths(head: &[u8], separator: u8) -> Vec<usize> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(head);
    let mut widths: Vec<usize> = reader
        .byte_records()
        .take(RECORDS_LOOKED_AT)
        .map_while(Result::ok)
        .map(|record| record.len())
        .collect();
    if widths.len() > 1 && widths.len() < RECORDS_LOOKED_AT && !head.ends_with(b"\n") {
        widths.pop();
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::sniff;

    #[test]
    fn each_candidate_is_found() {
        assert_eq!(sniff(b"a,b\n1,2\n"), b',');
        assert_eq!(sniff(b"a;b\n1,5;2,5\n3,5;4\n"), b';');
        assert_eq!(sniff(b"a\tb, c\n1\t2\n"), b'\t');
        assert_eq!(sniff(b"a|b|c\n1|2|3\n"), b'|');
    }

    #[test]
    fn separators_inside_quotes_do_not_count() {
        assert_eq!(sniff(b"\"a;x;y\",b\n\"1;2;3\",2\n"), b',');
    }

    #[test]
    fn a_record_cut_short_by_the_window_is_not_a_witness() {
        assert_eq!(sniff(b"a;b;c\n1;2;3\n4;5"), b';');
    }

    #[test]
    fn one_column_reads_as_comma_separated() {
        assert_eq!(sniff(b"only\n1\n2\n"), b',');
    }
}
