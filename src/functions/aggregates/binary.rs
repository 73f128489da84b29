//! The bits of all integers of a group put together.
use super::State;
use super::fold::{Fold, Folded};
use crate::diagnostic::Result;
use crate::types::wire::{Reader, Writer};
use crate::types::{Builder, Column, Kind, Value};

macro_rules! bits {
    ($name:ident, $function:ident, $operator:tt) => {
        #[derive(Clone, Default)]
        struct $name(Option<i64>);

        impl Fold for $name {
    const TRAVELS: bool = true;

    fn write(&self, out: &mut Writer) {
                out.byte(u8::from(self.0.is_some()));
                out.long(self.0.unwrap_or_default());
    }

    fn read(input: &mut Reader) -> Result<Self> {
                let known = input.byte()? != 0;
                let bits = input.long()?;
                Ok($name(known.then_some(bits)))
    }

            fn take(&mut self, arguments: &[Column], row: usize) {
                let value = arguments.first().and_then(|argument| argument.value(row).as_long());
                self.join($name(value));
            }

            fn join(&mut self, other: Self) {
                if let Some(value) = other.0 {
                    self.0 = Some(self.0.map_or(value, |known| known $operator value));
                }
            }
        }

        fn $function(kinds: &[Kind], _: &[Option<Value>]) -> Result<Box<dyn State>> {
            Ok(Folded::<$name>::boxed(kinds.first().copied().unwrap_or(Kind::Long), |state, out| write(state.0, out)))
        }
    };
}
bits!(All, binary_all_and, &);
bits!(Any, binary_all_or, |);
bits!(Odd, binary_all_xor, ^);

fn write(bits: Option<i64>, out: &mut Builder) {
    match bits {
        Some(bits) => out.push_long(bits),
        None => out.push_null(),
    }
}

crate::aggregates! {
    /// The bits that are set in all integers; nulls are passed over.
    ///
    /// Source: binary-all-and-aggregation-function.
    ///
    /// ```kql
    /// range x from 6 to 7 step 1 | summarize binary_all_and(x) // 6
    /// ```
    kql Free cheap fn binary_all_and (value: Integer) -> Argument(0) = binary_all_and;

    /// The bits that are set in any of the integers; nulls are passed over.
    ///
    /// Source: binary-all-or-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 4 step 1 | summarize binary_all_or(x) // 7
    /// ```
    kql Free cheap fn binary_all_or (value: Integer) -> Argument(0) = binary_all_or;

    /// The bits that are set in an odd number of the integers; nulls are passed over.
    ///
    /// Source: binary-all-xor-aggregation-function.
    ///
    /// ```kql
    /// range x from 1 to 2 step 1 | summarize binary_all_xor(x) // 3
    /// ```
    kql Free cheap fn binary_all_xor (value: Integer) -> Argument(0) = binary_all_xor;
}
