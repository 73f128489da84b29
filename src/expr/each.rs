//! Expressions over the values of a field that has several: `mvmap`, `mvfilter`.
use super::eval::{Input, evaluate};
use super::{Expr, select};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::types::field::{self, FieldBuilder};
use crate::types::{Column, Kind, Name, gather};

/// A body that is computed for each value of a field.
#[derive(Clone, Debug)]
pub struct Each {
    /// The field whose values are taken one by one.
    pub values: Expr,
    /// The name under which the body reads the value.
    pub item: Name,
    /// What else the body reads, each under a name of its own: all that it reads is here, and no column of the rows.
    pub captured: Vec<(Name, Expr)>,
    pub body: Expr,
    /// Whether the values stay for which the body is true; else the body's values take their place.
    pub filters: bool,
}

/// The values of all rows behind each other, with what the body reads of their rows.
struct Items {
    rows: usize,
    columns: Vec<(Name, Column)>,
}

impl Input for Items {
    fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, name: &Name) -> Result<Column> {
        let found = self.columns.iter().find(|(own, _)| own == name);
        found.map(|(_, column)| column.clone()).ok_or_else(|| Fault::internal(format!("a body reads `{name}` unbound")))
    }
}

impl Each {
    pub fn evaluate(&self, input: &dyn Input, context: &Context) -> Result<Column> {
        let values = evaluate(&self.values, input, context)?;
        let mut rows: Vec<u32> = Vec::with_capacity(values.len());
        let mut items = FieldBuilder::new(Some(&values), values.len());
        for row in 0..input.rows() {
            for text in field::values(&values, row) {
                items.push_text(&text);
                rows.push(row as u32);
            }
            if rows.len() > context.limits.rows {
                return Err(Fault::limit("rows", "a field has too many values"));
            }
        }
        let items = items.finish();
        let mut columns = vec![(self.item.clone(), items.clone())];
        for (name, expr) in &self.captured {
            columns.push((name.clone(), gather::take(&evaluate(expr, input, context)?, &rows)));
        }
        let found = evaluate(&self.body, &Items { rows: rows.len(), columns }, context)?;
        let (kept, made) = match self.filters {
            true => (select(&found), items),
            false => ((0..rows.len() as u32).collect(), found),
        };
        Ok(regrouped(input.rows(), &rows, &kept, &made))
    }
}

/// The values of `kept` places, each in the row that it came from.
fn regrouped(count: usize, rows: &[u32], kept: &[u32], made: &Column) -> Column {
    let mut out = FieldBuilder::new(Some(made), count);
    let mut next = kept.iter().copied().peekable();
    for row in 0..count {
        let mut texts = Vec::new();
        while let Some(at) = next.next_if(|at| rows.get(*at as usize) == Some(&(row as u32))) {
            texts.extend(field::values(made, at as usize).map(|text| text.into_owned()));
        }
        out.push_several(texts);
    }
    let column = out.finish();
    if column.kind() == Kind::Field { column } else { Column::nulls(Kind::Field, count) }
}
