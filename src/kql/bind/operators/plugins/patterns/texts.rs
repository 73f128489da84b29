//! `diffpatterns_text`: patterns of words that tell two sets of texts apart.
use super::super::Evaluation;
use super::diffpatterns::{differences, shares};
use super::encoded::{Encoded, Pattern};
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Open, Relation};
use crate::plan::{Node, TableOperation};
use crate::types::{Builder, Column, Kind, Name, Schema, Table, Value};
use std::sync::Arc;

/// Words of a text that count where a query does not say.
const WORDS: usize = 20;

impl Binder<'_> {
    fn diffpatterns_text(&mut self, evaluation: &Evaluation) -> Bind<Relation> {
        let (text, kind) = self.column_argument(evaluation, "TextColumn")?;
        let condition = self.given(evaluation, "BooleanCondition")?;
        let row = crate::kql::bind::relation::Row::of(evaluation.input);
        let condition = self.predicate(&condition.value, &row)?;
        let least = self.whole_option(evaluation, "MinTokens", 0..=200)?.unwrap_or(1).max(1);
        let threshold = self.real_option(evaluation, "Threshold", 0.015..=1.0)?.unwrap_or(0.05);
        let words = self.whole_option(evaluation, "MaxTokens", 0..=20)?.filter(|most| *most > 0).unwrap_or(WORDS);
        let side = self.hidden("side");
        let shown = self.hidden("text");
        let place = self.place_of(evaluation, "TextColumn");
        let own = self.converted(crate::expr::Expr::Column(text, kind), Kind::String, place)?;
        let rows = self.extend(evaluation.input, vec![(side.clone(), condition), (shown.clone(), own)]);
        let schema: Schema = [
            ("Count_of_True", Kind::Long),
            ("Count_of_False", Kind::Long),
            ("Percent_of_True", Kind::Real),
            ("Percent_of_False", Kind::Real),
            ("Pattern", Kind::String),
        ]
        .into_iter()
        .collect();
        let operation = Arc::new(Texts { text: shown, side, least, threshold, words, schema: schema.clone() });
        let mut out = self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema);
        out.open = Open::Closed;
        Ok(out)
    }
}

#[derive(Debug)]
struct Texts {
    text: Name,
    side: Name,
    /// A pattern has at least so many words.
    least: usize,
    threshold: f64,
    /// How many words of a text count.
    words: usize,
    schema: Schema,
}

impl TableOperation for Texts {
    fn name(&self) -> &str {
        "diffpatterns_text"
    }

    fn reads(&self, _: usize) -> Option<Vec<Name>> {
        Some(vec![self.text.clone(), self.side.clone()])
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let table = inputs.first().ok_or_else(|| Fault::internal("no texts to compare"))?;
        let lost = || Fault::internal("a column is gone");
        let texts = table.column_named(&self.text).ok_or_else(lost)?;
        let side = table.column_named(&self.side).ok_or_else(lost)?;
        // One column more than the words that count: whether a text goes on.
        let columns = words(&texts, self.words + 1);
        let weight = |row: usize| Some((usize::from(side.value(row).as_bool() != Some(true)), 1.0));
        let encoded = Encoded::of(&columns, &[self.words], table.rows(), weight, context)?;
        let encoded = encoded.without(&Value::string(""));
        let found = differences(&encoded, self.threshold, self.least, self.words, context)?;
        let mut found: Vec<(String, usize, [f64; 2])> = found
            .into_iter()
            .filter_map(|(pattern, weight)| {
                let (text, length) = self.written(&encoded, &pattern)?;
                Some((text, length, weight))
            })
            .collect();
        found.sort_by_key(|(_, length, _)| std::cmp::Reverse(*length));
        let rows = found.into_iter().map(|(text, _, weight)| {
            let (a, b, _) = shares(&encoded, weight);
            let [count_a, count_b] = weight.map(|count| Value::Long(count.round() as i64));
            vec![count_a, count_b, Value::Real(a), Value::Real(b), Value::string(text)]
        });
        let rows: Vec<Vec<Value>> = rows.collect();
        Ok(Table::from_rows(self.schema.clone(), &rows))
    }
}

impl Texts {
    /// A pattern's text and its length in words; none where it has too few words.
    fn written(&self, encoded: &Encoded, pattern: &Pattern) -> Option<(String, usize)> {
        let last = pattern.iter().rposition(Option::is_some)?;
        let mut words = Vec::new();
        for (at, code) in pattern.iter().enumerate().take(last + 1) {
            words.push(match code {
                Some(code) => encoded.value(at, *code).to_text(),
                None => "*".to_owned(),
            });
        }
        if pattern.iter().flatten().count() < self.least {
            return None;
        }
        // The texts go on behind the pattern.
        let rows = encoded.matching(pattern);
        let goes_on = |row: &u32| !encoded.value(last + 1, encoded.code(last + 1, *row)).to_text().is_empty();
        if last + 1 < self.words && rows.iter().any(goes_on) {
            words.push("*".to_owned());
        }
        Some((words.join(" "), words.len()))
    }
}

/// The words of each text, a column for each place; `""` behind the last word.
fn words(texts: &Column, places: usize) -> Vec<Column> {
    let mut builders: Vec<Builder> = (0..places).map(|_| Builder::new(Kind::String, texts.len())).collect();
    for row in 0..texts.len() {
        let mut words = texts.text(row).unwrap_or_default().split_whitespace();
        builders.iter_mut().for_each(|builder| builder.push_text(words.next().unwrap_or_default()));
    }
    builders.into_iter().map(Builder::finish).collect()
}

super::super::items! {
    /// Finds patterns of words that many texts have where a condition is true, and few where it is false, or the other
    /// way round.
    ///
    /// Words stand between blanks, and count from the beginning of the text; `*` stands for any one word, and at the
    /// end of a pattern for all that follow. A pattern has at least `MinTokens` words (1), looks at `MaxTokens` words
    /// (20) and tells the sets apart by `Threshold` (0.05) at least. The longest patterns come first.
    ///
    /// Source: diffpatterns-text-plugin.
    ///
    /// ```kql
    /// datatable(t: string, b: bool) ["door open", true, "door shut", false] | evaluate diffpatterns_text(t, b) | where Count_of_True == 1 | project Pattern // door open
    /// ```
    fn diffpatterns_text(
        TextColumn: Column,
        BooleanCondition: Condition,
        MinTokens[optional]: Constant,
        Threshold[optional]: Constant,
        MaxTokens[optional]: Constant,
    ) = |binder, evaluation| binder.diffpatterns_text(evaluation);
}
