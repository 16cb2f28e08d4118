//! Roots of decreasing functions, by Newton steps that may not leave a bracket.

/// The `x` in `[low, high]` where `f(x) = 0`, for `f` decreasing on the bracket.
///
/// `f` returns its value and its derivative. A Newton step that would leave the bracket is
/// replaced by a bisection, so the search always ends; it stops when a step no longer moves `x`
/// by more than a few units in the last place.
pub(in crate::statistics) fn decreasing_root(
    mut low: f64,
    mut high: f64,
    start: f64,
    f: impl Fn(f64) -> (f64, f64),
) -> f64 {
    let mut x = start.clamp(low, high);
    for _ in 0..200 {
        let (value, slope) = f(x);
        if value == 0.0 {
            return x;
        }
        if value > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - value / slope;
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - x).abs() <= 2.0 * f64::EPSILON * x.abs() || next == x {
            return next;
        }
        x = next;
    }
    x
}
