//! Texts with holes: `{ID}-{n}`.

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Written as it is.
    Literal(String),
    /// The cell of a column, or a variable of the rule's list.
    Hole(String),
}

/// The 0-based row of the input, the header not counted.
pub(super) const ROW: &str = "row";

/// Reads a template; `{{` and `}}` are the braces themselves.
pub(super) fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            literal.push_str(&tail[..1]);
            rest = &tail[2..];
            continue;
        }
        let Some((name, after)) = tail.strip_prefix('{').and_then(|t| t.split_once('}')) else {
            return Err(format!("`{text}` has a brace without its partner"));
        };
        if name.is_empty() || name.contains('{') {
            return Err(format!("`{text}` has a hole without a name"));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Hole(name.to_owned()));
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn holes_and_braces_are_told_apart() {
        let hole = |name: &str| Piece::Hole(name.to_owned());
        let text = |text: &str| Piece::Literal(text.to_owned());
        assert_eq!(
            parse("{ID}-{n}").unwrap(),
            [hole("ID"), text("-"), hole("n")]
        );
        assert_eq!(parse("{{a}} b").unwrap(), [text("{a} b")]);
        assert!(parse("").unwrap().is_empty());
        for wrong in ["{a", "a}", "{}", "{a{b}}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
