//! The keys that say what becomes of a feature's number on its way to the vector.

use super::super::feature::{Attribute, Definition, Transform};
use super::super::raw::Number;
use super::Checker;

/// Two knots are a straight line, more are a bend.
const LEAST_KNOTS: usize = 3;
const MOST_KNOTS: usize = 50;

impl Checker<'_> {
    pub(super) fn clip(&mut self) -> Option<(f64, f64)> {
        let key = self.take("clip", &self.raw.clip)?;
        let [low, high] = *key.get_ref();
        if low.is_finite() && high.is_finite() && low < high {
            return Some((low, high));
        }
        self.fault(key.span(), "`clip` is a lower and a higher number");
        None
    }

    pub(super) fn transform(&mut self, definition: Option<&Definition>) -> Transform {
        if let Some(Definition::Attribute { attribute, .. }) = definition
            && attribute.is_text()
        {
            return self.levels(*attribute);
        }
        let Some(key) = self.take("transform", &self.raw.transform) else {
            return Transform::None;
        };
        match key.get_ref().as_str() {
            "none" => Transform::None,
            "log1p" => Transform::Log1p,
            "cyclic" => {
                let period = self.need("period", &self.raw.period, "transform `cyclic`");
                let period = period.map_or(1.0, |key| *key.get_ref());
                if !(period.is_finite() && period > 0.0) {
                    self.fault(key.span(), "`period` is a number above zero");
                }
                Transform::Cyclic(period)
            }
            "bins" => self.bins(),
            "spline" => self.spline(),
            other => {
                let reason = format!(
                    "`{other}` is not a transformation; known are none, log1p, cyclic, bins, \
                     spline"
                );
                self.fault(key.span(), reason);
                Transform::None
            }
        }
    }

    fn bins(&mut self) -> Transform {
        let Some(key) = self.need("edges", &self.raw.edges, "transform `bins`") else {
            return Transform::None;
        };
        let edges = key.get_ref();
        let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
        if edges.is_empty() || !rising || !edges.iter().all(|edge| edge.is_finite()) {
            self.fault(key.span(), "`edges` lists rising numbers, at least one");
        }
        Transform::Bins(edges.clone())
    }

    fn spline(&mut self) -> Transform {
        let Some(key) = self.need("knots", &self.raw.knots, "transform `spline`") else {
            return Transform::None;
        };
        let knots = usize::try_from(*key.get_ref()).unwrap_or(0);
        if !(LEAST_KNOTS..=MOST_KNOTS).contains(&knots) {
            let reason = format!("`knots` is a whole number from {LEAST_KNOTS} to {MOST_KNOTS}");
            self.fault(key.span(), reason);
        }
        Transform::Spline(knots)
    }

    fn levels(&mut self, attribute: Attribute) -> Transform {
        let why = format!("attribute `{attribute}`, whose values are words,");
        let Some(key) = self.need("levels", &self.raw.levels, &why) else {
            return Transform::None;
        };
        let levels = key.get_ref();
        let twice = (1..levels.len()).any(|n| levels[..n].contains(&levels[n]));
        if levels.is_empty() || twice || levels.iter().any(String::is_empty) {
            self.fault(key.span(), "`levels` lists different words, at least one");
        }
        Transform::Levels(levels.clone())
    }

    pub(super) fn missing(&mut self) -> f64 {
        match self.take("missing", &self.raw.missing) {
            None => f64::NAN,
            Some(key) => match key.get_ref() {
                Number::Whole(number) => *number as f64,
                Number::Real(number) if number.is_finite() => *number,
                Number::Word(word) if word == "nan" => f64::NAN,
                Number::Real(_) | Number::Word(_) => {
                    self.fault(key.span(), "`missing` is a number or \"nan\"");
                    f64::NAN
                }
            },
        }
    }
}

/// The columns that a feature of this name and transformation has in the vector.
pub(super) fn column_names(name: &str, transform: &Transform) -> Vec<String> {
    match transform {
        Transform::None | Transform::Log1p | Transform::Spline(_) => vec![name.to_owned()],
        Transform::Cyclic(_) => vec![format!("{name}_sin"), format!("{name}_cos")],
        Transform::Bins(edges) => (0..=edges.len())
            .map(|bin| format!("{name}_bin{bin}"))
            .collect(),
        Transform::Levels(levels) => levels
            .iter()
            .map(|level| format!("{name}={level}"))
            .collect(),
    }
}
