//! The discrete Fourier transform of a series of complex numbers, and its inverse.
use super::{Numbers, reals};
use crate::functions::items::array;
use crate::functions::row::{Dyn, JsonOut, Maybe};
use crate::types::Dynamic;
use std::f64::consts::PI;

/// The longest series that is transformed.
const LONGEST: usize = 1 << 20;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Complex(f64, f64);

impl Complex {
    /// The point at an angle on the unit circle.
    fn at(angle: f64) -> Complex {
        Complex(angle.cos(), angle.sin())
    }

    fn conjugate(self) -> Complex {
        Complex(self.0, -self.1)
    }
}

impl std::ops::Mul for Complex {
    type Output = Complex;
    fn mul(self, other: Complex) -> Complex {
        Complex(self.0 * other.0 - self.1 * other.1, self.0 * other.1 + self.1 * other.0)
    }
}

impl std::ops::Add for Complex {
    type Output = Complex;
    fn add(self, other: Complex) -> Complex {
        Complex(self.0 + other.0, self.1 + other.1)
    }
}

impl std::ops::Sub for Complex {
    type Output = Complex;
    fn sub(self, other: Complex) -> Complex {
        Complex(self.0 - other.0, self.1 - other.1)
    }
}

/// Transforms a power of two of values: halves are transformed and put together, from the smallest on.
fn radix_two(values: &mut [Complex]) {
    let length = values.len();
    if length < 2 {
        return;
    }
    let bits = length.trailing_zeros();
    for place in 0..length {
        let mirrored = place.reverse_bits() >> (usize::BITS - bits);
        if place < mirrored {
            values.swap(place, mirrored);
        }
    }
    let mut half = 1;
    while half < length {
        let turn: Vec<Complex> = (0..half).map(|k| Complex::at(-PI * k as f64 / half as f64)).collect();
        for block in values.chunks_mut(half * 2) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), turn) in low.iter_mut().zip(high).zip(&turn) {
                let turned = *b * *turn;
                (*a, *b) = (*a + turned, *a - turned);
            }
        }
        half *= 2;
    }
}

/// Transforms any number of values, as a convolution with a chirp (Bluestein).
fn transform(values: &[Complex]) -> Vec<Complex> {
    let length = values.len();
    if length.is_power_of_two() {
        let mut own = values.to_vec();
        radix_two(&mut own);
        return own;
    }
    // Squares are taken modulo twice the length: an angle of a whole turn is none.
    let chirp = |k: usize| Complex::at(-PI * ((k * k) % (2 * length)) as f64 / length as f64);
    let padded = (2 * length).next_power_of_two();
    let (mut left, mut right) = (vec![Complex::default(); padded], vec![Complex::default(); padded]);
    for (k, value) in values.iter().enumerate() {
        left[k] = *value * chirp(k);
        right[k] = chirp(k).conjugate();
        right[(padded - k) % padded] = chirp(k).conjugate();
    }
    radix_two(&mut left);
    radix_two(&mut right);
    let mut product: Vec<Complex> = left.iter().zip(&right).map(|(a, b)| (*a * *b).conjugate()).collect();
    radix_two(&mut product);
    let scale = 1.0 / padded as f64;
    let parts = product.into_iter().take(length).map(|value| Complex(value.0 * scale, -value.1 * scale));
    parts.enumerate().map(|(k, value)| value * chirp(k)).collect()
}

/// The inverse is the transform of the conjugates, conjugated and scaled.
fn inverse(values: &[Complex]) -> Vec<Complex> {
    let conjugates: Vec<Complex> = values.iter().map(|value| value.conjugate()).collect();
    let scale = 1.0 / values.len() as f64;
    transform(&conjugates).into_iter().map(|value| Complex(value.0 * scale, 0.0 - value.1 * scale)).collect()
}

/// Both parts of the transformed series, as an array of two arrays.
fn parts(real: Dynamic, imaginary: Option<Dynamic>, change: fn(&[Complex]) -> Vec<Complex>) -> Option<JsonOut> {
    let real = Numbers::of(real)?.finite().filter(|values| (1..=LONGEST).contains(&values.len()))?;
    let imaginary = match imaginary {
        Some(series) => Numbers::of(series)?.finite().filter(|values| values.len() == real.len())?,
        None => vec![0.0; real.len()],
    };
    let values: Vec<Complex> = real.into_iter().zip(imaginary).map(|(a, b)| Complex(a, b)).collect();
    let changed = change(&values);
    let part = |of: fn(&Complex) -> f64| reals(&changed.iter().map(of).collect::<Vec<_>>());
    Some(JsonOut(array([part(|value| value.0), part(|value| value.1)])))
}

crate::scalars! {
    /// The frequencies of a series, by the fast Fourier transform, as two columns: their real and their imaginary
    /// parts. Null where the two parts of the series differ in length.
    ///
    /// Source: series-fft-function.
    ///
    /// ```kql
    /// series_fft(dynamic([1, 1, 1, 1])) // [[4.0,0.0,0.0,0.0],[0.0,0.0,0.0,0.0]]
    /// ```
    kql fn series_fft (series: Dyn, imaginary: Maybe<Dyn>) -> Option<JsonOut> { parts(series, imaginary, transform) }

    /// The series that has such frequencies, the inverse of `series_fft`, as two columns.
    ///
    /// Source: series-ifft-function.
    ///
    /// ```kql
    /// series_ifft(dynamic([4, 0, 0, 0])) // [[1.0,1.0,1.0,1.0],[0.0,0.0,0.0,0.0]]
    /// ```
    kql fn series_ifft (series: Dyn, imaginary: Maybe<Dyn>) -> Option<JsonOut> { parts(series, imaginary, inverse) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition.
    fn slowly(values: &[Complex]) -> Vec<Complex> {
        let turn = |k: usize, n: usize| Complex::at(-2.0 * PI * (k * n) as f64 / values.len() as f64);
        let one = |k: usize| values.iter().enumerate().fold(Complex::default(), |sum, (n, v)| sum + *v * turn(k, n));
        (0..values.len()).map(one).collect()
    }

    fn close(a: &[Complex], b: &[Complex]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1) < 1e-9)
    }

    #[test]
    fn any_length_is_transformed_and_back() {
        for length in 1..40 {
            let values: Vec<Complex> = (0..length).map(|k| Complex((k * k % 7) as f64, (k % 3) as f64)).collect();
            assert!(close(&transform(&values), &slowly(&values)), "{length}");
            assert!(close(&inverse(&transform(&values)), &values), "{length}");
        }
    }
}
