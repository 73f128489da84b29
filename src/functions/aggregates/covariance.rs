//! Covariance: how two numbers vary together.
use super::State;
use super::fold::{Fold, Folded};
use super::sum::Double;
use crate::diagnostic::Result;
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, Value, convert};

/// Count and sums of the rows in which both numbers are known.
#[derive(Clone, Default)]
struct Pairs {
    count: f64,
    x: Double,
    y: Double,
    products: Double,
}

impl Fold for Pairs {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
        out.real(self.count);
        [&self.x, &self.y, &self.products].into_iter().for_each(|sum| sum.write(out));
    }

    fn read(input: &mut Reader) -> Result<Self> {
        let count = input.real()?;
        Ok(Pairs { count, x: Double::read(input)?, y: Double::read(input)?, products: Double::read(input)? })
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        let real = |at: usize| convert::value_to(&arguments.get(at)?.value(row), Kind::Real).as_real();
        if let (Some(x), Some(y)) = (real(0), real(1)) {
            self.count += 1.0;
            self.x.add(x);
            self.y.add(y);
            self.products.add(x * y);
        }
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.x.join(other.x);
        self.y.join(other.y);
        self.products.join(other.products);
    }
}

impl Pairs {
    /// The sum of the products of distances from the means, divided by `by`; 0 where that is not positive.
    fn divided(&self, by: f64) -> f64 {
        if by <= 0.0 { 0.0 } else { (self.products.value() - self.x.value() * self.y.value() / self.count) / by }
    }
}

fn covariance(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Pairs>::boxed(Kind::Real, |pairs, out| out.push_real(pairs.divided(pairs.count - 1.0))))
}

fn covariancep(_: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
    Ok(Folded::<Pairs>::boxed(Kind::Real, |pairs, out| out.push_real(pairs.divided(pairs.count))))
}

crate::aggregates! {
    /// The covariance of a sample; rows in which a number is null are passed over.
    ///
    /// Source: covariance-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | summarize covariance(x, 2 * x) // 5
    /// ```
    kql Free cheap fn covariance called "covariance" (x: Summable, y: Summable) -> Kind(Kind::Real) = covariance;

    /// The covariance of a whole population; rows in which a number is null are passed over.
    ///
    /// Source: covariancep-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 5 step 1 | summarize covariancep(x, 2 * x) // 4
    /// ```
    kql Free cheap fn covariancep called "covariancep" (x: Summable, y: Summable) -> Kind(Kind::Real) = covariancep;
}
