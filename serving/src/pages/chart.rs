//! Charts as inline SVG. The drawing stretches with the page while its text, set in HTML around it,
//! keeps its size, so that a chart can be read on a phone. Colours come from the style.
//!
//! Every chart carries a title and a description with its numbers for those who do not see it;
//! where the numbers stand beside it in a table row, it is hidden from them instead.

use super::shell::Tone;
use maud::{Markup, html};
use std::fmt::Write;

/// Width and height of the drawing's own coordinates.
const SIDE: f64 = 1000.0;

/// A range of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    low: f64,
    high: f64,
}

impl Span {
    /// The range of `values` and zero or other anchors among them; never empty. What is not finite
    /// is passed over.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        let least = 1e-9_f64.max(low.abs().max(high.abs()) * 1e-9);
        if high - low < least {
            return Self {
                low: low - 0.5,
                high: high + 0.5,
            };
        }
        Self { low, high }
    }

    /// Wider by this share on both sides.
    #[must_use]
    pub fn padded(self, share: f64) -> Self {
        let by = (self.high - self.low) * share;
        Self {
            low: self.low - by,
            high: self.high + by,
        }
    }

    /// Whether `value` lies in the range.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Where `value` lies, 0 at the low end and 1 at the high; what is beyond is at the end.
    #[must_use]
    pub fn place(self, value: f64) -> f64 {
        if value.is_nan() {
            return 0.5;
        }
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// As [`Self::place`], but up to a whole range beyond the ends: what is drawn there is cut off, so
    /// that a line that leaves the frame does not run along its edge.
    fn beyond(self, value: f64) -> f64 {
        if value.is_nan() {
            return 0.5;
        }
        ((value - self.low) / (self.high - self.low)).clamp(-1.0, 2.0)
    }

    /// Round values inside the range, about `wanted` of them, and the decimals they need.
    #[must_use]
    pub fn ticks(self, wanted: u32) -> (Vec<f64>, usize) {
        let rough = (self.high - self.low) / f64::from(wanted.max(1));
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|one| one * power)
            .find(|step| *step >= rough * 0.8)
            .unwrap_or(10.0 * power);
        let first = (self.low / step - 1e-9).ceil() * step;
        let mut ticks = Vec::new();
        while first + step * ticks.len() as f64 <= self.high + step * 1e-9 && ticks.len() < 40 {
            ticks.push(first + step * ticks.len() as f64);
        }
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to 9"
        )]
        (ticks, decimals as usize)
    }
}

/// How a layer is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hue {
    /// The main colour, a solid line.
    First,
    /// The second colour, a dashed line.
    Second,
    /// Grey, a dotted line.
    Quiet,
}

impl Hue {
    const fn class(self) -> &'static str {
        match self {
            Self::First => "",
            Self::Second => "second",
            Self::Quiet => "quiet",
        }
    }
}

#[derive(Debug, Clone)]
enum Layer {
    Line(Vec<(f64, f64)>, Hue),
    /// x, low, high.
    Band(Vec<(f64, f64, f64)>, Hue),
    Dots(Vec<(f64, f64)>, Hue),
    /// x, low, high: an upright whisker.
    Bars(Vec<(f64, f64, f64)>, Hue),
}

/// Anything with two axes.
///
/// ```text
/// Plot::new("Calibration", "predicted against observed: …")
///     .x("predicted", Span::of([0.0, 1.0]), |v, d| lang.number(v, d))
///     .y(Span::of([0.0, 1.0]), |v, d| lang.number(v, d))
///     .line("ideal", vec![(0.0, 0.0), (1.0, 1.0)], Hue::Quiet)
///     .dots("observed", points, Hue::First)
///     .draw()
/// ```
#[derive(Debug, Clone)]
pub struct Plot {
    title: String,
    description: String,
    x: Span,
    y: Span,
    x_name: String,
    x_labels: Vec<(f64, String)>,
    y_labels: Vec<(f64, String)>,
    layers: Vec<Layer>,
    key: Vec<(String, Hue, bool)>,
    tags: Vec<(f64, f64, String)>,
}

impl Plot {
    /// An empty plot. `description` says in words and numbers what is to be seen.
    #[must_use]
    pub fn new(title: &str, description: &str) -> Self {
        let unit = Span::of([0.0, 1.0]);
        Self {
            title: title.to_owned(),
            description: description.to_owned(),
            x: unit,
            y: unit,
            x_name: String::new(),
            x_labels: Vec::new(),
            y_labels: Vec::new(),
            layers: Vec::new(),
            key: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// The horizontal axis: its name, its range, and how a tick of so many decimals is written.
    #[must_use]
    pub fn x(mut self, name: &str, span: Span, write: impl Fn(f64, usize) -> String) -> Self {
        let (ticks, decimals) = span.ticks(4);
        self.x_labels = ticks.iter().map(|at| (*at, write(*at, decimals))).collect();
        name.clone_into(&mut self.x_name);
        self.x = span;
        self
    }

    /// A horizontal axis with labels at given places.
    #[must_use]
    pub fn x_at(mut self, name: &str, span: Span, labels: Vec<(f64, String)>) -> Self {
        name.clone_into(&mut self.x_name);
        self.x = span;
        self.x_labels = labels;
        self
    }

    /// The vertical axis: its range, and how a tick of so many decimals is written.
    #[must_use]
    pub fn y(mut self, span: Span, write: impl Fn(f64, usize) -> String) -> Self {
        let (ticks, decimals) = span.ticks(5);
        self.y_labels = ticks.iter().map(|at| (*at, write(*at, decimals))).collect();
        self.y = span;
        self
    }

    /// A line through points in order.
    #[must_use]
    pub fn line(mut self, name: &str, points: Vec<(f64, f64)>, hue: Hue) -> Self {
        self.key.push((name.to_owned(), hue, false));
        self.layers.push(Layer::Line(points, hue));
        self
    }

    /// A line that keeps its value until the next point, as a survival curve does.
    #[must_use]
    pub fn steps(self, name: &str, points: &[(f64, f64)], hue: Hue) -> Self {
        let mut stairs = Vec::with_capacity(2 * points.len());
        for (at, value) in points {
            if let Some((_, last)) = stairs.last().copied() {
                stairs.push((*at, last));
            }
            stairs.push((*at, *value));
        }
        self.line(name, stairs, hue)
    }

    /// The area between low and high: `(x, low, high)`.
    #[must_use]
    pub fn band(mut self, name: &str, points: Vec<(f64, f64, f64)>, hue: Hue) -> Self {
        self.key.push((name.to_owned(), hue, true));
        self.layers.push(Layer::Band(points, hue));
        self
    }

    /// Points.
    #[must_use]
    pub fn dots(mut self, name: &str, points: Vec<(f64, f64)>, hue: Hue) -> Self {
        self.key.push((name.to_owned(), hue, false));
        self.layers.push(Layer::Dots(points, hue));
        self
    }

    /// Upright intervals, `(x, low, high)`; they belong to a layer of dots and get no key.
    #[must_use]
    pub fn whiskers(mut self, intervals: Vec<(f64, f64, f64)>, hue: Hue) -> Self {
        self.layers.push(Layer::Bars(intervals, hue));
        self
    }

    /// A word beside a point.
    #[must_use]
    pub fn tag(mut self, x: f64, y: f64, words: &str) -> Self {
        self.tags.push((x, y, words.to_owned()));
        self
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (SIDE * self.x.beyond(x), SIDE * (1.0 - self.y.beyond(y)))
    }

    fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (x, y) in points {
            let (x, y) = self.at(x, y);
            let letter = if path.is_empty() { 'M' } else { 'L' };
            // Writing to a string does not fail.
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
        }
        path
    }

    fn layer(&self, layer: &Layer) -> Markup {
        html! {
            @match layer {
                Layer::Line(points, hue) => {
                    path class={ "line " (hue.class()) } d=(self.path(points.iter().copied())) {}
                }
                Layer::Band(points, hue) => {
                    @let upper = points.iter().map(|(x, _, high)| (*x, *high));
                    @let lower = points.iter().rev().map(|(x, low, _)| (*x, *low));
                    path class={ "area " (hue.class()) } d={ (self.path(upper.chain(lower))) "Z" } {}
                }
                Layer::Dots(points, hue) => {
                    @for (x, y) in points {
                        @let (x, y) = self.at(*x, *y);
                        path class={ "dot " (hue.class()) } d=(format!("M{x:.1} {y:.1}h0")) {}
                    }
                }
                Layer::Bars(points, hue) => {
                    @for (x, low, high) in points {
                        @let (left, bottom) = self.at(*x, *low);
                        @let (_, top) = self.at(*x, *high);
                        path class={ "line " (hue.class()) } d=(format!("M{left:.1} {bottom:.1}V{top:.1}")) {}
                    }
                }
            }
        }
    }

    /// The figure.
    #[must_use]
    pub fn draw(&self) -> Markup {
        let bands = self.layers.iter().filter(|l| matches!(l, Layer::Band(..)));
        let lines = (self.layers.iter()).filter(|l| matches!(l, Layer::Line(..) | Layer::Bars(..)));
        let dots = self.layers.iter().filter(|l| matches!(l, Layer::Dots(..)));
        html! {
            figure.chart {
                @if self.key.len() > 1 { (self.key_list()) }
                div.frame {
                    svg role="img" viewBox="0 0 1000 1000" preserveAspectRatio="none" {
                        title { (self.title) }
                        desc { (self.description) }
                        svg.cut width="1000" height="1000" { @for layer in bands { (self.layer(layer)) } }
                        @for (at, _) in &self.y_labels {
                            @let y = SIDE * (1.0 - self.y.place(*at));
                            path class=(if at.abs() < 1e-12 { "axis" } else { "grid" }) d=(format!("M0 {y:.1}H1000")) {}
                        }
                        svg.cut width="1000" height="1000" { @for layer in lines { (self.layer(layer)) } }
                        @for layer in dots { (self.layer(layer)) }
                    }
                    @for (at, words) in &self.y_labels {
                        span.y aria-hidden="true" style=(format!("top:{:.2}%", 100.0 * (1.0 - self.y.place(*at)))) { (words) }
                    }
                    @for (at, words) in &self.x_labels {
                        span.x aria-hidden="true" style=(format!("left:{:.2}%", 100.0 * self.x.place(*at))) { (words) }
                    }
                    @for (x, y, words) in &self.tags {
                        @let (left, top) = self.at(*x, *y);
                        span.tag aria-hidden="true" style=(format!("left:{:.2}%;top:{:.2}%", left / 10.0, top / 10.0)) { (words) }
                    }
                }
                div.under { (self.x_name) }
            }
        }
    }

    fn key_list(&self) -> Markup {
        html! {
            ul.key {
                @for (name, hue, area) in &self.key {
                    li {
                        svg aria-hidden="true" viewBox="0 0 40 12" preserveAspectRatio="none" {
                            @if *area { rect class={ "area " (hue.class()) } width="40" height="12" {} }
                            @else { path class={ "line " (hue.class()) } d="M0 6H40" {} }
                        }
                        (name)
                    }
                }
            }
        }
    }
}

/// An interval on the scale of its table: a line from low to high, a point at the estimate, and a
/// rule at zero. An end that is open, or beyond the scale, runs to the edge; an estimate beyond it is an
/// arrow. Numbers stand beside it.
#[must_use]
pub fn whisker(scale: Span, low: f64, estimate: f64, high: f64, tone: Tone) -> Markup {
    let at = |value: f64| 100.0 * scale.place(value);
    let class = match tone {
        Tone::Good => "t-good",
        Tone::Bad => "t-bad",
        Tone::Warn => "t-warn",
        Tone::Quiet => "t-quiet",
    };
    let inside = scale.holds(estimate);
    let (low, mid, high, zero) = (at(low), at(estimate), at(high), at(0.0));
    html! {
        svg.whisker aria-hidden="true" viewBox="0 0 100 24" preserveAspectRatio="none" {
            path.axis d=(format!("M{zero:.2} 0V24")) {}
            path class=(class) d=(format!("M{low:.2} 12H{high:.2}")) {}
            @if inside { path class={ (class) " mid" } d=(format!("M{mid:.2} 12h0")) {} }
            @else {
                @let back = if mid > 50.0 { mid - 4.0 } else { mid + 4.0 };
                path class=(class) fill="none" d=(format!("M{back:.2} 5L{mid:.2} 12L{back:.2} 19")) {}
            }
        }
    }
}

/// A share of a whole, drawn and written.
#[must_use]
pub fn share(share: f64, words: &str, hue: Hue) -> Markup {
    let width = 100.0 * share.clamp(0.0, 1.0);
    html! {
        div.share {
            svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none" {
                rect class={ "bar " (hue.class()) } width=(format!("{width:.2}")) height="10" {}
            }
            span { (words) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let span = Span::of([-0.23, 0.41]);
        let (ticks, decimals) = span.ticks(5);
        assert_eq!(decimals, 1);
        assert_eq!(ticks.len(), 4);
        assert!((ticks[0] + 0.2).abs() < 1e-12 && ticks[1].abs() < 1e-12);
        let (years, decimals) = Span::of([0.0, 365.0]).ticks(4);
        assert_eq!((years, decimals), (vec![0.0, 100.0, 200.0, 300.0], 0));
    }

    #[test]
    fn a_span_of_nothing_can_still_be_drawn() {
        for values in [vec![], vec![f64::NAN], vec![3.0, 3.0], vec![0.0]] {
            let span = Span::of(values);
            assert!(span.place(3.0).is_finite());
            assert!(!span.ticks(4).0.is_empty());
        }
    }

    #[test]
    fn open_ends_run_to_the_edge() {
        let drawn = whisker(
            Span::of([-1.0, 1.0]),
            f64::NEG_INFINITY,
            0.5,
            f64::INFINITY,
            Tone::Quiet,
        );
        assert!(drawn.into_string().contains("M0.00 12H100.00"));
    }

    #[test]
    fn what_leaves_the_frame_is_cut_off_and_an_estimate_beyond_it_is_an_arrow() {
        let plot = Plot::new("title", "words")
            .y(Span::of([0.0, 1.0]), |at, _| at.to_string())
            .line("line", vec![(0.0, 0.5), (0.5, 1.5), (1.0, 9.0)], Hue::First);
        let drawn = plot.draw().into_string();
        assert!(
            drawn.contains("M0.0 500.0L500.0 -500.0L1000.0 -1000.0"),
            "{drawn}"
        );
        let scale = Span::of([-1.0, 1.0]);
        let beyond = whisker(scale, 0.5, 1.5, 2.5, Tone::Bad).into_string();
        assert!(
            beyond.contains("L100.00 12L") && !beyond.contains(" mid"),
            "{beyond}"
        );
    }
}
