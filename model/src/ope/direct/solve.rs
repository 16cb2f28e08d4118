//! Cholesky for the small positive definite systems of a ridge.

/// Solves `A x = b` in place for a symmetric positive definite `A` (row-major,
/// `n × n`), leaving `x` in `b`; `false` when `A` is not positive definite.
pub(in crate::ope) fn solve(a: &mut [f64], b: &mut [f64]) -> bool {
    let n = b.len();
    for column in 0..n {
        for row in column..n {
            let dot: f64 = (0..column)
                .map(|k| a[row * n + k] * a[column * n + k])
                .sum();
            let left = a[row * n + column] - dot;
            if row == column {
                if left <= 0.0 || !left.is_finite() {
                    return false;
                }
                a[row * n + column] = left.sqrt();
            } else {
                a[row * n + column] = left / a[column * n + column];
            }
        }
    }
    for row in 0..n {
        let dot: f64 = (0..row).map(|k| a[row * n + k] * b[k]).sum();
        b[row] = (b[row] - dot) / a[row * n + row];
    }
    for row in (0..n).rev() {
        let dot: f64 = (row + 1..n).map(|k| a[k * n + row] * b[k]).sum();
        b[row] = (b[row] - dot) / a[row * n + row];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::solve;

    #[test]
    fn a_known_system_is_solved() {
        let mut a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let mut b = [4.0 + 4.0 + 1.8, 2.0 + 10.0 + 3.0, 0.6 + 2.0 + 9.0];
        assert!(solve(&mut a, &mut b));
        for (found, expected) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn an_indefinite_matrix_is_refused() {
        assert!(!solve(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0]));
    }
}
