//! Lists in a text file: JSON, because every reader has a parser for it.
//!
//! JSON has no NaN and no infinity: unknown is `null`, the infinities are the texts `"inf"` and
//! `"-inf"`.

use serde_json::Value;

pub(crate) fn texts_to_json(texts: &[impl AsRef<str>]) -> String {
    Value::from_iter(texts.iter().map(AsRef::as_ref)).to_string()
}

pub(crate) fn reals_to_json(reals: &[f64]) -> String {
    let element = |&real: &f64| {
        if real.is_nan() {
            Value::Null
        } else if real.is_infinite() {
            Value::from(real.to_string())
        } else {
            Value::from(real)
        }
    };
    Value::from_iter(reals.iter().map(element)).to_string()
}

fn list(json: &str) -> Result<Vec<Value>, String> {
    serde_json::from_str(json).map_err(|error| format!("`{json}` is not a JSON list: {error}"))
}

pub(crate) fn texts_from_json(json: &str) -> Result<Vec<String>, String> {
    let text = |value| match value {
        Value::String(text) => Ok(text),
        other => Err(format!("{other} in a list of texts")),
    };
    list(json)?.into_iter().map(text).collect()
}

pub(crate) fn reals_from_json(json: &str) -> Result<Vec<f64>, String> {
    let real = |value: Value| match &value {
        Value::Null => Ok(f64::NAN),
        Value::String(text) if text == "inf" => Ok(f64::INFINITY),
        Value::String(text) if text == "-inf" => Ok(f64::NEG_INFINITY),
        other => other
            .as_f64()
            .ok_or_else(|| format!("{value} in a list of numbers")),
    };
    list(json)?.into_iter().map(real).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_that_json_lacks_survive() {
        let reals = [
            0.1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            5e-324,
        ];
        let json = reals_to_json(&reals);
        assert_eq!(json, r#"[0.1,null,"inf","-inf",-0.0,5e-324]"#);
        let back = reals_from_json(&json).unwrap();
        for (a, b) in reals.iter().zip(&back) {
            assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()));
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(texts_from_json("wait").is_err());
        assert!(texts_from_json("[1]").unwrap_err().contains("1 in a list"));
        assert!(reals_from_json(r#"["a"]"#).is_err());
    }
}
