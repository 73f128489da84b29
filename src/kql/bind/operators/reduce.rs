//! `reduce`: texts grouped by likeness, each group under a pattern.
//!
//! A text is cut into terms. It joins the group whose pattern shares the most terms with it, place by place,
//! if that share is at least the threshold; where it differs, the pattern has a wildcard from then on. What
//! finds no company is counted under `others`.
//!
//! Source: the page "reduce operator".
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use crate::kql::ast::{ExpressionKind, Parameter, Reduce};
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::{Node, TableOperation};
use crate::types::{Kind, Name, Schema, Table, Value};
use std::collections::HashMap;
use std::sync::Arc;

const OTHERS: &str = "others";

impl Binder<'_> {
    pub fn reduce(&mut self, reduce: &Reduce, input: &Relation) -> Bind<Relation> {
        let text = self.scalar(&reduce.by, &Row::of(input))?;
        let text = self.converted(text, Kind::String, reduce.by.span)?;
        let text = self.folded(text);
        let mut likeness = Likeness { threshold: 0.1, separators: None };
        for parameter in &reduce.with {
            self.reduce_option(parameter, &mut likeness)?;
        }
        let keeps_rows = self.keeps_rows(&reduce.parameters)?;
        let column = self.hidden("text");
        let rows = self.extend(input, vec![(column.clone(), text)]);
        let mut schema = Schema::default();
        if keeps_rows {
            schema = input.schema.clone();
            schema.set(schema.free_name("Pattern"), Kind::String);
        } else {
            [("Pattern", Kind::String), ("Count", Kind::Long), ("Representative", Kind::String)]
                .into_iter()
                .for_each(|(name, kind)| schema.set(name.into(), kind));
        }
        let operation = Arc::new(Reduction { column, likeness, keeps_rows, schema: schema.clone() });
        Ok(self.over(&rows, Node::Table { inputs: vec![rows.node], operation }, schema))
    }

    fn reduce_option(&mut self, option: &Parameter, likeness: &mut Likeness) -> Bind<()> {
        let value = self.constant_of(&option.value)?;
        match (option.name.text.as_str(), value.as_real(), value.as_text()) {
            ("threshold", Some(share), _) if share > 0.0 && share <= 1.0 => likeness.threshold = share,
            ("threshold", ..) => {
                return Err(self.error("KS107", "A number above 0 and up to 1 is expected.", option.value.span));
            }
            ("characters", _, Some(characters)) => likeness.separators = Some(characters.chars().collect()),
            ("characters", ..) => {
                return Err(self.error("KS107", "A value of type string expected.", option.value.span));
            }
            (other, ..) => {
                let known = ["threshold", "characters"];
                return Err(self.unknown("KS232", "option of 'reduce'", other, option.name.span, known));
            }
        }
        Ok(())
    }

    /// `kind=source`.
    fn keeps_rows(&mut self, parameters: &[Parameter]) -> Bind<bool> {
        let Some(kind) = parameters.iter().find(|p| p.name.text == "kind") else { return Ok(false) };
        match &kind.value.kind {
            ExpressionKind::Name(name) if name.text == "source" => Ok(true),
            _ => Err(self.error("KS005", "The kind of 'reduce' can only be 'source'.", kind.value.span)),
        }
    }
}

/// What makes texts alike.
#[derive(Clone, Debug)]
struct Likeness {
    /// The share of its terms that a text must have in common with a pattern.
    threshold: f64,
    /// The characters between terms; without them, all that are neither letters nor digits of ASCII.
    separators: Option<Vec<char>>,
}

#[derive(Debug)]
struct Reduction {
    column: Name,
    likeness: Likeness,
    keeps_rows: bool,
    schema: Schema,
}

impl TableOperation for Reduction {
    fn name(&self) -> &str {
        "reduce"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Err(Fault::internal("nothing to reduce")) };
        let texts = table.column_named(&self.column).ok_or_else(|| Fault::internal("the texts are missing"))?;
        let mut groups = Groups::new(&self.likeness);
        let mut group_of: Vec<usize> = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            if row % 1024 == 0 {
                context.check()?;
            }
            group_of.push(groups.take(texts.text(row).unwrap_or_default(), context)?);
        }
        Ok(if self.keeps_rows { self.labelled(table, &groups, &group_of) } else { self.counted(&groups) })
    }
}

impl Reduction {
    /// A row for each group, the largest first.
    fn counted(&self, groups: &Groups) -> Table {
        let mut shown: Vec<&Group> = groups.all.iter().filter(|g| g.count > 1).collect();
        shown.sort_by_key(|g| std::cmp::Reverse(g.count));
        let row = |g: &&Group| {
            vec![Value::string(g.pattern()), Value::Long(g.count), Value::string(g.representative.as_str())]
        };
        let mut rows: Vec<Vec<Value>> = shown.iter().map(row).collect();
        let alone = groups.all.iter().filter(|g| g.count == 1).count();
        if alone > 0 {
            let count = i64::try_from(alone).unwrap_or(i64::MAX);
            rows.push(vec![Value::string(OTHERS), Value::Long(count), Value::string("")]);
        }
        Table::from_rows(self.schema.clone(), &rows)
    }

    /// The rows, each with the pattern of its group.
    fn labelled(&self, table: &Table, groups: &Groups, group_of: &[usize]) -> Table {
        let patterns: Vec<Value> = groups.all.iter().map(|g| Value::string(g.label())).collect();
        let label = group_of.iter().filter_map(|at| patterns.get(*at));
        let label = crate::types::Column::from_values(Kind::String, label);
        let own = self.schema.names().filter_map(|name| Some((name.clone(), table.column_named(name)?)));
        let last = self.schema.columns().last().map(|(name, _)| (name.clone(), label));
        Table::from_columns(own.chain(last).collect())
    }
}

struct Group {
    /// A term that all texts have in its place, or a wildcard.
    terms: Vec<Option<String>>,
    /// What stands before, between and behind the terms of the first text.
    between: Vec<String>,
    representative: String,
    count: i64,
}

impl Group {
    fn label(&self) -> String {
        if self.count > 1 { self.pattern() } else { OTHERS.to_owned() }
    }

    /// The terms as they stood, `*` for those that differ. A wildcard takes in the separators beside it,
    /// but not spaces.
    fn pattern(&self) -> String {
        let is_wild = |at: usize| self.terms.get(at).is_some_and(Option::is_none);
        let mut pattern = String::new();
        for (at, separator) in self.between.iter().enumerate() {
            let beside = is_wild(at) || at.checked_sub(1).is_some_and(is_wild);
            if !beside || separator.contains(char::is_whitespace) {
                pattern.push_str(separator);
            }
            match self.terms.get(at) {
                Some(Some(term)) => pattern.push_str(term),
                Some(None) if !pattern.ends_with('*') => pattern.push('*'),
                _ => {}
            }
        }
        pattern
    }
}

/// The groups so far. A text is compared with those alone that share a term with it.
struct Groups<'l> {
    likeness: &'l Likeness,
    all: Vec<Group>,
    /// The groups that have a term in a place, among texts of so many terms.
    having: HashMap<(usize, usize, String), Vec<usize>>,
    /// The groups of texts that were seen before.
    known: HashMap<String, usize>,
}

impl Groups<'_> {
    fn new(likeness: &Likeness) -> Groups<'_> {
        Groups { likeness, all: Vec::new(), having: HashMap::new(), known: HashMap::new() }
    }

    /// The group of a text, which is counted in it.
    fn take(&mut self, text: &str, context: &Context) -> Result<usize> {
        let at = match self.known.get(text) {
            Some(at) => *at,
            None => {
                let (terms, between) = self.likeness.cut(text);
                let at = match self.nearest(&terms, context)? {
                    Some(at) => self.widen(at, &terms),
                    None => self.begin(terms, between, text),
                };
                self.known.insert(text.to_owned(), at);
                at
            }
        };
        if let Some(group) = self.all.get_mut(at) {
            group.count += 1;
        }
        Ok(at)
    }

    /// The group with the most terms in common, the oldest among equals.
    fn nearest(&self, terms: &[String], context: &Context) -> Result<Option<usize>> {
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for (place, term) in terms.iter().enumerate() {
            context.check()?;
            let having = self.having.get(&(terms.len(), place, term.clone()));
            for group in having.into_iter().flatten() {
                let still = self.all.get(*group).and_then(|g| g.terms.get(place)?.as_ref());
                if still == Some(term) {
                    *shared.entry(*group).or_default() += 1;
                }
            }
        }
        let least = self.likeness.threshold * terms.len() as f64;
        let near = shared.into_iter().filter(|(_, count)| *count as f64 >= least);
        Ok(near.max_by_key(|(group, count)| (*count, std::cmp::Reverse(*group))).map(|(group, _)| group))
    }

    fn widen(&mut self, at: usize, terms: &[String]) -> usize {
        if let Some(group) = self.all.get_mut(at) {
            for (own, term) in group.terms.iter_mut().zip(terms) {
                if own.as_ref() != Some(term) {
                    *own = None;
                }
            }
        }
        at
    }

    fn begin(&mut self, terms: Vec<String>, between: Vec<String>, text: &str) -> usize {
        let at = self.all.len();
        for (place, term) in terms.iter().enumerate() {
            self.having.entry((terms.len(), place, term.clone())).or_default().push(at);
        }
        let terms = terms.into_iter().map(Some).collect();
        self.all.push(Group { terms, between, representative: text.to_owned(), count: 0 });
        at
    }
}

impl Likeness {
    fn separates(&self, character: char) -> bool {
        match &self.separators {
            Some(separators) => separators.contains(&character),
            None => !character.is_ascii_alphanumeric(),
        }
    }

    /// The terms of a text, and what stands around them: one piece more.
    fn cut(&self, text: &str) -> (Vec<String>, Vec<String>) {
        let (mut terms, mut between) = (Vec::<String>::new(), vec![String::new()]);
        let mut inside = false;
        for character in text.chars() {
            let separates = self.separates(character);
            if !separates && !inside {
                terms.push(String::new());
                between.push(String::new());
            }
            inside = !separates;
            let piece = if inside { terms.last_mut() } else { between.last_mut() };
            if let Some(piece) = piece {
                piece.push(character);
            }
        }
        (terms, between)
    }
}

crate::pages! {
    /// Texts that are alike, as patterns with `*` for what differs, with the count of each.
    ///
    /// Source: reduce-operator.
    ///
    /// ```kql
    /// range x from 1 to 100 step 1 | extend t = strcat("user", x, " failed") | reduce by t with threshold=0.5 | summarize sum(Count) // 100
    /// ```
    Operator "reduce": "T | reduce [kind=Kind] by Column [with threshold=Share, characters=\"Characters\"]";
}
