//! `join`: rows of a search in brackets beside the rows, by equal fields.
use super::dedup::{First, first_of_each};
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::plan::{JoinKind, JoinSide, Node};
use crate::spl::ast::Command;
use crate::spl::lower::build::absent;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::{Kind, Name, Schema};

const OPTIONS: [&str; 7] = ["type", "usetime", "earlier", "overwrite", "max", "left", "right"];

/// Rows of the search in brackets that count.
const MOST_ROWS: u64 = 50_000;

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    if let Some(word) = options.word("left").or(options.word("right")) {
        let said = Diagnostic::error("HP504", "`join` takes fields of equal names here").at(word.span);
        return Err(said.help("rename the fields of one side before").into());
    }
    let fields = reader.fields(&[])?;
    options.read_more(&mut reader, &OPTIONS)?;
    let search = reader.needed_search()?;
    reader.finish()?;
    let right = lowering.subsearch(search, MOST_ROWS)?;
    let keys: Vec<Name> = match fields.is_empty() {
        false => fields.iter().map(|word| Name::from(word.text.as_str())).collect(),
        true => rows.plain_names().filter(|name| right.has(name)).cloned().collect(),
    };
    if keys.is_empty() && !(rows.open || right.open) {
        return Err(Diagnostic::error("HP504", "both sides of `join` have no field in common").at(command.span).into());
    }
    let kind = match options.choice("type", &["inner", "outer", "left"])? {
        Some("outer" | "left") => JoinKind::LeftOuter,
        _ => JoinKind::Inner,
    };
    let most = u32::try_from(options.count("max")?.unwrap_or(1)).unwrap_or(0);
    let overwrites = options.flag("overwrite")?.unwrap_or(true);
    let (left, right) = (with_fields(lowering, &rows, &keys), with_fields(lowering, &right, &keys));
    let right = match most {
        0 => right,
        count => {
            let first = First { keys: keys.clone(), count, keeps_rows: false, keeps_empty: false, consecutive: false };
            first_of_each(lowering, right, first, Vec::new())?
        }
    };
    Ok(joined(lowering, &left, &right, &keys, kind, overwrites))
}

/// The rows with these fields, absent where the rows lack them.
fn with_fields(lowering: &mut Lowering, rows: &Rows, names: &[Name]) -> Rows {
    let missing = names.iter().filter(|name| !rows.has(name)).map(|name| (name.clone(), absent())).collect();
    lowering.extend(rows, missing)
}

fn joined(lowering: &mut Lowering, left: &Rows, right: &Rows, keys: &[Name], kind: JoinKind, overwrites: bool) -> Rows {
    let mut columns: Vec<(Name, JoinSide, Name)> =
        left.names().map(|name| (name.clone(), JoinSide::Left, name.clone())).collect();
    // What both sides have: the name it gets on its way.
    let mut both: Vec<(Name, Name)> = Vec::new();
    for name in right.names().filter(|name| !keys.contains(name)) {
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
    let pairs = keys.iter().map(|name| (name.clone(), name.clone())).collect();
    let node = Node::Join { left: left.node, right: right.node, kind, keys: pairs, columns };
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

crate::command! {
    /// Puts fields of a search in brackets beside the rows that have equal values in some fields.
    ///
    /// Without fields, all that both sides have count. A row takes the first row of the other side, or as many as `max`
    /// says (0 for all); where both have a field, the other side's value counts unless `overwrite=false`. With
    /// `type=left` or `type=outer` rows without a partner stay. 50,000 rows of the other side count.
    ///
    /// Source: join.
    ///
    /// ```spl
    /// | makeresults | eval k=1 | join k [| makeresults | eval k=1, v="x"] | fields v | fields - _time // x
    /// ```
    "join": "join [type=inner|left|outer] [max=<count>] [overwrite=<flag>] [<field>...] [<search>]" = Rows(lower);
}
