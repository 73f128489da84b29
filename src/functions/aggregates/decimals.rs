//! Sums and means of decimals, with all their digits.
use super::State;
use super::fold::{Fold, Folded};
use crate::diagnostic::Result;
use crate::types::wire::{Reader, Writer};
use crate::types::{Column, Kind, decimal};

/// The number of decimals and their sum.
#[derive(Clone, Default)]
struct Total {
    count: i64,
    sum: Option<String>,
}

impl Total {
    fn add(&mut self, count: i64, value: &str) {
        self.count += count;
        self.sum = decimal::add(self.sum.as_deref().unwrap_or("0"), value);
    }
}

impl Fold for Total {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
        out.long(self.count);
        out.byte(u8::from(self.sum.is_some()));
        out.text(self.sum.as_deref().unwrap_or_default());
    }

    fn read(input: &mut Reader) -> Result<Self> {
        let count = input.long()?;
        let known = input.byte()? != 0;
        let sum = input.text()?;
        Ok(Total { count, sum: known.then(|| sum.to_owned()) })
    }

    fn take(&mut self, arguments: &[Column], row: usize) {
        if let Some(value) = arguments.first().and_then(|argument| argument.text(row)) {
            self.add(1, value);
        }
    }

    fn join(&mut self, other: Self) {
        if let Some(sum) = &other.sum {
            self.add(other.count, sum);
        }
    }
}

/// 0 over no rows.
pub fn sum() -> Result<Box<dyn State>> {
    Ok(Folded::<Total>::boxed(Kind::Decimal, |total, out| out.push_text(total.sum.as_deref().unwrap_or("0"))))
}

/// Null over no rows.
pub fn average() -> Result<Box<dyn State>> {
    Ok(Folded::<Total>::boxed(Kind::Decimal, |total, out| {
        let mean = total.sum.as_ref().and_then(|sum| decimal::divide(sum, &total.count.to_string()));
        match mean {
            Some(mean) => out.push_text(&mean),
            None => out.push_null(),
        }
    }))
}
