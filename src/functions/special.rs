//! Special functions of mathematics: gamma, beta, the error function, and tests built on them.
use super::row::Real;
use std::f64::consts::PI;

/// Lanczos' approximation with g = 7: 15 digits.
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

fn log_gamma(x: f64) -> f64 {
    if x < 0.5 {
        return (PI / (PI * x).sin().abs()).ln() - log_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let series = LANCZOS.iter().enumerate().skip(1).fold(LANCZOS[0], |sum, (at, c)| sum + c / (x + at as f64));
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

fn gamma_of(x: f64) -> f64 {
    if x == x.floor() && x <= 0.0 {
        return f64::NAN;
    }
    if x == x.floor() && x > 0.0 && x < 24.0 {
        return (1..x as u64).map(|factor| factor as f64).product();
    }
    if x < 0.5 { PI / ((PI * x).sin() * gamma_of(1.0 - x)) } else { log_gamma(x).exp() }
}

/// The regularized incomplete beta function, on the side where its continued fraction is quick.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_fraction(1.0 - x, b, a);
    }
    beta_fraction(x, a, b)
}

/// The same by Lentz's continued fraction.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let front = (log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let away = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() <= 1e-16 * fraction.abs() {
            break;
        }
    }
    front * fraction
}

/// What is missing of the error function to 1.
pub(super) fn erfc_of(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc_of(-x);
    }
    if x < 2.0 { 1.0 - erf_series(x) } else { erfc_fraction(x) }
}

fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        let n = f64::from(n);
        term *= -x * x / n;
        let part = term / (2.0 * n + 1.0);
        sum += part;
        if part.abs() <= 1e-17 * sum.abs() {
            break;
        }
    }
    2.0 / PI.sqrt() * sum
}

fn erfc_fraction(x: f64) -> f64 {
    let mut fraction = 0.0;
    for n in (1..120).rev() {
        fraction = f64::from(n) / 2.0 / (x + fraction);
    }
    (-x * x).exp() / (PI.sqrt() * (x + fraction))
}

/// By halving: the distribution function rises everywhere.
fn inverse_beta(probability: f64, alpha: f64, beta: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if incomplete_beta(middle, alpha, beta) < probability { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

crate::scalars! {
    /// The gamma function.
    ///
    /// Source: gamma-function.
    ///
    /// ```kql
    /// gamma(5) // 24
    /// isnan(gamma(-1)) // true
    /// ```
    kql fn gamma (number: Real) -> f64 { gamma_of(number) }

    /// The logarithm of the gamma function's magnitude.
    ///
    /// Source: loggamma-function.
    ///
    /// ```kql
    /// round(loggamma(5), 6) // 3.178054
    /// ```
    kql fn loggamma (number: Real) -> f64 { log_gamma(number) }

    /// The error function.
    ///
    /// Source: erf-function.
    ///
    /// ```kql
    /// round(erf(1), 9) // 0.842700793
    /// ```
    kql fn erf (number: Real) -> f64 { if number.abs() < 2.0 { erf_series(number) } else { 1.0 - erfc_of(number) } }

    /// What is missing of the error function to 1.
    ///
    /// Source: erfc-function.
    ///
    /// ```kql
    /// round(erfc(1), 9) // 0.157299207
    /// ```
    kql fn erfc (number: Real) -> f64 { erfc_of(number) }

    /// The beta distribution function: how likely a value up to `x` is. NaN for `x` beyond 0 and 1.
    ///
    /// Source: beta-cdf-function.
    ///
    /// ```kql
    /// round(beta_cdf(0.9, 10.0, 20.0), 9) // 1
    /// beta_cdf(1.5, 10.0, 20.0) // NaN
    /// ```
    kql fn beta_cdf (x: Real, alpha: Real, beta: Real) -> f64 {
        if !(0.0..=1.0).contains(&x) {
            return f64::NAN;
        }
        // Kusto gives 1 where the distribution has no such shape.
        if alpha <= 0.0 || beta <= 0.0 { 1.0 } else { incomplete_beta(x, alpha, beta) }
    }

    /// The value that a beta distributed number does not exceed with a probability.
    ///
    /// Source: beta-inv-function.
    ///
    /// ```kql
    /// round(beta_inv(0.1, 10.0, 20.0), 6) // 0.226415
    /// beta_inv(1.5, 10.0, 20.0) // NaN
    /// ```
    kql fn beta_inv (probability: Real, alpha: Real, beta: Real) -> f64 {
        let known = probability > 0.0 && probability <= 1.0 && alpha > 0.0 && beta > 0.0;
        if known { inverse_beta(probability, alpha, beta) } else { f64::NAN }
    }

    /// The density of the beta distribution; NaN for `x` beyond 0 and 1.
    ///
    /// Source: beta-pdf-function.
    ///
    /// ```kql
    /// round(beta_pdf(0.5, 10.0, 20.0), 6) // 0.746176
    /// ```
    kql fn beta_pdf (x: Real, alpha: Real, beta: Real) -> f64 {
        if !(0.0..=1.0).contains(&x) || alpha <= 0.0 || beta <= 0.0 {
            return f64::NAN;
        }
        let scale = log_gamma(alpha + beta) - log_gamma(alpha) - log_gamma(beta);
        (scale + (alpha - 1.0) * x.ln() + (beta - 1.0) * (1.0 - x).ln()).exp()
    }

    /// The probability that two populations of equal means give samples that differ as much as these (Welch's test).
    ///
    /// Source: welch-test-function.
    ///
    /// ```kql
    /// round(welch_test(20.82, 7.89, 15, 22.98, 3.82, 15), 3) // 0.022
    /// ```
    kql fn welch_test (
        mean1: Real, variance1: Real, count1: Real, mean2: Real, variance2: Real, count2: Real
    ) -> f64 {
        let (one, other) = (variance1 / count1, variance2 / count2);
        let t = (mean1 - mean2) / (one + other).sqrt();
        let freedom = (one + other).powi(2) / (one * one / (count1 - 1.0) + other * other / (count2 - 1.0));
        incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
    }
}
