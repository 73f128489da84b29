//! `join`: rows of a search in brackets beside the rows, by equal fields.
use super::dedup::{First, first_of_each};
use super::options::Options;
use super::whole::over;
use crate::diagnostic::{Diagnostic, Fault, Result};
use crate::expr::Expr;
use crate::functions::Context;
use crate::plan::{JoinKind, JoinSide, Node, TableOperation};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::absent;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Column, Kind, Name, Schema, Table, field, gather};
use std::collections::HashMap;
use std::sync::Arc;

const OPTIONS: [&str; 7] = ["type", "usetime", "earlier", "overwrite", "max", "left", "right"];

/// Rows of the search in brackets that count.
const MOST_ROWS: u64 = 50_000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let aliases = options.word("left").cloned().zip(options.word("right").cloned());
    let pairs = match &aliases {
        Some((left, right)) => pairs(&mut reader, left, right)?,
        None => Vec::new(),
    };
    let fields = reader.fields(&[])?;
    options.read_more(&mut reader, &OPTIONS)?;
    let search = reader.needed_search()?;
    reader.finish()?;
    let mut right = lowering.subsearch(search, MOST_ROWS)?;
    let mut rows = rows;
    if let Some((first, second)) = &aliases {
        rows = under(lowering, &rows, &first.text);
        right = under(lowering, &right, &second.text);
    }
    let keys: Vec<(Name, Name)> = match fields.is_empty() {
        _ if aliases.is_some() => pairs,
        false => fields.iter().map(|word| (word.text.as_str().into(), word.text.as_str().into())).collect(),
        true => rows.plain_names().filter(|name| right.has(name)).map(|name| (name.clone(), name.clone())).collect(),
    };
    if keys.is_empty() && !(rows.open || right.open) {
        return Err(Diagnostic::error("HP504", "both sides of `join` have no field in common").at(command.span).into());
    }
    let kind = match options.choice("type", &["inner", "outer", "left"])? {
        Some("outer" | "left") => JoinKind::LeftOuter,
        _ => JoinKind::Inner,
    };
    let most = u32::try_from(options.count("max")?.unwrap_or(1)).unwrap_or(0);
    let (first, second): (Vec<Name>, Vec<Name>) = keys.iter().cloned().unzip();
    let (left, right) = (with_fields(lowering, &rows, &first), with_fields(lowering, &right, &second));
    let time = |side: usize| match &aliases {
        Some((first, second)) => Name::from(format!("{}._time", [first, second][side].text)),
        None => "_time".into(),
    };
    let joining = Joining { keys, kind, overwrites: options.flag("overwrite")?.unwrap_or(true) };
    if options.flag("usetime")?.unwrap_or(false) {
        let times = [time(0), time(1)];
        let earlier = options.flag("earlier")?.unwrap_or(true);
        return joining.by_time(lowering, &left, &right, times, earlier, most);
    }
    let right = match most {
        0 => right,
        count => {
            let first = First { keys: second, count, keeps_rows: false, keeps_empty: false, consecutive: false };
            first_of_each(lowering, right, first, Vec::new())?
        }
    };
    Ok(joining.over(lowering, &left, &right))
}

/// `where L.a=R.b AND L.c=R.d`: the fields of both sides that must be equal.
fn pairs(reader: &mut Reader, left: &Word, right: &Word) -> Lower<Vec<(Name, Name)>> {
    if !reader.eat_word("where") {
        return Err(reader.expected("`where` with the fields of both sides").into());
    }
    let is_of = |word: &Word, alias: &Word| {
        word.text.strip_prefix(alias.text.as_str()).is_some_and(|rest| rest.starts_with('.'))
    };
    let mut pairs = Vec::new();
    loop {
        let first = reader.needed_field()?;
        reader.expect("=")?;
        reader.eat("=");
        let second = reader.needed_field()?;
        let name = |word: &Word| Name::from(word.text.as_str());
        pairs.push(match () {
            () if is_of(&first, left) && is_of(&second, right) => (name(&first), name(&second)),
            () if is_of(&first, right) && is_of(&second, left) => (name(&second), name(&first)),
            () => {
                let message = format!("`where` compares a field of `{}` with one of `{}`", left.text, right.text);
                let help = format!("write {}.field={}.field", left.text, right.text);
                return Err(Diagnostic::error("HP504", message).at(first.span.to(second.span)).help(help).into());
            }
        });
        if !reader.eat_word("and") && !reader.eat(",") {
            return Ok(pairs);
        }
    }
}

/// The rows with an alias and a dot before the name of every field.
fn under(lowering: &mut Lowering, rows: &Rows, alias: &str) -> Rows {
    let columns = rows.names().map(|name| (Name::from(format!("{alias}.{name}")), rows.field(name))).collect();
    lowering.project(rows, columns).open_as(rows)
}

/// The rows with these fields, absent where the rows lack them.
fn with_fields(lowering: &mut Lowering, rows: &Rows, names: &[Name]) -> Rows {
    let missing = names.iter().filter(|name| !rows.has(name)).map(|name| (name.clone(), absent())).collect();
    lowering.extend(rows, missing)
}

/// What is joined, and how.
#[derive(Debug)]
struct Joining {
    /// The fields of the left and of the right side that must be equal.
    keys: Vec<(Name, Name)>,
    kind: JoinKind,
    /// Whether the right side's value counts where both have a field.
    overwrites: bool,
}

impl Joining {
    fn over(self, lowering: &mut Lowering, left: &Rows, right: &Rows) -> Rows {
        let mut columns: Vec<(Name, JoinSide, Name)> =
            left.names().map(|name| (name.clone(), JoinSide::Left, name.clone())).collect();
        // What both sides have: the name it gets on its way.
        let mut both: Vec<(Name, Name)> = Vec::new();
        for name in self.added(right) {
            let own = match left.has(name) {
                true => {
                    let hidden = lowering.hidden("right");
                    both.push((name.clone(), hidden.clone()));
                    hidden
                }
                false => name.clone(),
            };
            columns.push((own, JoinSide::Right, name.clone()));
        }
        let schema: Schema = columns.iter().map(|(name, ..)| (name.clone(), Kind::Field)).collect();
        let overwrites = self.overwrites;
        let node = Node::Join { left: left.node, right: right.node, kind: self.kind, keys: self.keys, columns };
        let found = lowering.over(left, node, schema);
        let chosen = both.iter().map(|(name, hidden)| {
            let (own, other) = (found.field(name), found.field(hidden));
            let parts = if overwrites { vec![other, own] } else { vec![own, other] };
            (name.clone(), Expr::Coalesce(parts, Kind::Field))
        });
        let chosen = chosen.collect();
        let hidden: Vec<Name> = both.iter().map(|(_, hidden)| hidden.clone()).collect();
        let made = lowering.extend(&found, chosen);
        let made = lowering.without(&made, &hidden);
        match right.open {
            true => made.open_as(right),
            false => made,
        }
    }

    /// The fields of the right side that the left side does not have as keys.
    fn added<'r>(&self, right: &'r Rows) -> impl Iterator<Item = &'r Name> {
        let same = self.keys.iter().filter(|(left, right)| left == right).map(|(name, _)| name.clone());
        let same: Vec<Name> = same.collect();
        right.names().filter(move |name| !same.contains(name))
    }

    /// Rows of the right side count that are not later than the left one, or not earlier.
    fn by_time(
        self,
        lowering: &mut Lowering,
        left: &Rows,
        right: &Rows,
        times: [Name; 2],
        earlier: bool,
        most: u32,
    ) -> Lower<Rows> {
        let mut schema = left.schema.clone();
        self.added(right).for_each(|name| schema.set(name.clone(), Kind::Field));
        let joined = JoinedByTime { joining: self, times, earlier, most };
        Ok(lowering.operation(&[left, right], Arc::new(joined), schema))
    }
}

/// A join that looks at the times of both sides.
#[derive(Debug)]
struct JoinedByTime {
    joining: Joining,
    times: [Name; 2],
    earlier: bool,
    /// Rows of the right side for one of the left; 0 for all.
    most: u32,
}

impl TableOperation for JoinedByTime {
    fn name(&self) -> &str {
        "join"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let [left, right] = inputs else { return Err(Fault::internal("`join` has two inputs")) };
        let picks = self.picks(context, left, right)?;
        let first: Vec<u32> = picks.iter().map(|(row, _)| *row).collect();
        let mut columns: Vec<(Name, Column)> = Vec::new();
        for (at, name) in left.schema().names().enumerate() {
            columns.push((name.clone(), gather::take(&left.column(at), &first)));
        }
        // A row without a partner takes the one absent value behind all others.
        let second: Vec<(u32, u32)> = picks.iter().map(|(_, row)| row.map_or((1, 0), |row| (0, row))).collect();
        let is_key = |name: &Name| self.joining.keys.iter().any(|(own, other)| own == other && own == name);
        for (at, name) in right.schema().names().enumerate().filter(|(_, name)| !is_key(name)) {
            let taken = gather::interleave(&[right.column(at), Column::nulls(Kind::Field, 1)], &second);
            match columns.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) if self.joining.overwrites => *known = over(&taken, known),
                Some((_, known)) => *known = over(known, &taken),
                None => columns.push((name.clone(), taken)),
            }
        }
        Ok(Table::from_columns(columns).with_problems(left.problems().to_vec()))
    }
}

impl JoinedByTime {
    /// The rows of both sides that belong together.
    fn picks(&self, context: &Context, left: &Table, right: &Table) -> Result<Vec<(u32, Option<u32>)>> {
        let mut partners: HashMap<Vec<String>, Vec<u32>> = HashMap::new();
        let names = |side: fn(&(Name, Name)) -> &Name| self.joining.keys.iter().map(side).cloned().collect::<Vec<_>>();
        for (row, key) in keys(right, &names(|pair| &pair.1)).into_iter().enumerate() {
            if let Some(key) = key {
                partners.entry(key).or_default().push(row as u32);
            }
        }
        let (own, other) = (times(left, &self.times[0]), times(right, &self.times[1]));
        let mut picks = Vec::new();
        for (row, key) in keys(left, &names(|pair| &pair.0)).into_iter().enumerate() {
            if row % 4096 == 0 {
                context.check()?;
            }
            let fits = |partner: &&u32| match (own.get(row).copied().flatten(), other.get(**partner as usize)) {
                (Some(own), Some(Some(other))) => {
                    if self.earlier {
                        *other <= own
                    } else {
                        *other >= own
                    }
                }
                _ => false,
            };
            let most = if self.most == 0 { usize::MAX } else { self.most as usize };
            let found = key.and_then(|key| partners.get(&key)).map_or(&[][..], Vec::as_slice);
            let before = picks.len();
            picks.extend(found.iter().filter(fits).take(most).map(|partner| (row as u32, Some(*partner))));
            if picks.len() == before && self.joining.kind == JoinKind::LeftOuter {
                picks.push((row as u32, None));
            }
            if picks.len() > context.limits.rows {
                return Err(Fault::limit("rows", "`join` makes too many rows"));
            }
        }
        Ok(picks)
    }
}

/// The texts of some fields, row by row; none where one is absent.
fn keys(table: &Table, names: &[Name]) -> Vec<Option<Vec<String>>> {
    let columns: Vec<Option<Column>> = names.iter().map(|name| table.column_named(name)).collect();
    let text = |column: &Option<Column>, row: usize| Some(field::text(column.as_ref()?, row)?.into_owned());
    (0..table.rows()).map(|row| columns.iter().map(|column| text(column, row)).collect()).collect()
}

fn times(table: &Table, name: &str) -> Vec<Option<f64>> {
    let Some(column) = table.column_named(name) else { return vec![None; table.rows()] };
    let numbers = field::Numbers::of(&column);
    (0..table.rows()).map(|row| numbers.get(row).map(field::Number::real)).collect()
}

crate::command! {
    /// Puts fields of a search in brackets beside the rows that have equal values in some fields.
    ///
    /// Without fields, all that both sides have count. A row takes the first row of the other side, or as many as `max`
    /// says (0 for all); where both have a field, the other side's value counts unless `overwrite=false`. With
    /// `type=left` or `type=outer` rows without a partner stay. 50,000 rows of the other side count.
    ///
    /// With `usetime=true` rows of the other side count that are not later than the row, or not earlier with
    /// `earlier=false`. Fields of other names are compared under aliases, `left=L right=R where L.id=R.user_id`, which
    /// then stand before the names of all fields.
    ///
    /// Source: join.
    ///
    /// ```spl
    /// | makeresults | eval k=1 | join k [| makeresults | eval k=1, v="x"] | fields v | fields - _time // x
    /// ```
    "join": "join [type=inner|left|outer] [max=<count>] [overwrite=<flag>] [usetime=<flag>] [earlier=<flag>] [<field>...] [left=<alias> right=<alias> where <field>=<field>...] [<search>]" = Rows(lower);
}
