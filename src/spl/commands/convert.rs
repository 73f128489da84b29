//! `convert`: fields in other spellings.
use super::options::Options;
use crate::diagnostic::{Diagnostic, closest};
use crate::expr::Expr;
use crate::spl::ast::{Command, Word};
use crate::spl::lower::build::{call, text};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::spl::wildcard;
use crate::types::{Kind, Name};

const DEFAULT_FORMAT: &str = "%m/%d/%Y %H:%M:%S";
const OPTIONS: [&str; 1] = ["timeformat"];

/// The conversions that are functions of the library, by name.
const CONVERSIONS: [(&str, &str); 7] = [
    ("auto", ".auto"),
    ("num", ".num"),
    ("rmcomma", ".rmcomma"),
    ("rmunit", ".rmunit"),
    ("dur2sec", ".dur2sec"),
    ("memk", ".memk"),
    ("mstime", ".mstime"),
];

const NAMES: [&str; 10] = ["auto", "ctime", "dur2sec", "memk", "mktime", "mstime", "none", "num", "rmcomma", "rmunit"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    let mut asked: Vec<Conversion> = Vec::new();
    while !reader.at_end() {
        if reader.eat(",") || options.read_one(&mut reader, &OPTIONS)? {
            continue;
        }
        asked.push(conversion(&mut reader)?);
    }
    let format = options.text("timeformat").unwrap_or(DEFAULT_FORMAT);
    let mut made: Vec<(Name, Expr)> = Vec::new();
    let mut left: Vec<String> = Vec::new();
    for Conversion { function, pattern, alias } in asked {
        if function == "none" {
            left.push(pattern);
            continue;
        }
        for name in rows.matching(&pattern) {
            let stays = wildcard::is_pattern(&pattern) && left.iter().any(|own| wildcard::matches(own, &name));
            if !stays {
                let target = target(alias.as_ref(), &pattern, &name);
                made.retain(|(known, _)| *known != target);
                made.push((target, converted(&function, rows.field(&name), format)?));
            }
        }
    }
    if made.is_empty() && left.is_empty() {
        return Err(Diagnostic::error("HP504", "`convert` needs a conversion such as ctime(field)")
            .at(command.span)
            .into());
    }
    made.retain(|(name, value)| rows.has(name) || !matches!(value, Expr::Const(_)));
    Ok(lowering.extend(&rows, made))
}

/// `ctime(field) as name`.
struct Conversion {
    function: String,
    /// The field's name, which may have wildcards.
    pattern: String,
    alias: Option<Word>,
}

fn conversion(reader: &mut Reader) -> Lower<Conversion> {
    let word = reader.needed_word("a conversion such as ctime(field)")?;
    let function = word.text.to_ascii_lowercase();
    if !NAMES.contains(&function.as_str()) {
        let said = Diagnostic::error("HP504", format!("there is no conversion `{}`", word.text)).at(word.span);
        return Err(match closest(&function, NAMES) {
            Some(near) => said.help(format!("did you mean `{near}`?")),
            None => said.help(format!("the conversions are {}", NAMES.join(", "))),
        }
        .into());
    }
    reader.expect("(")?;
    let field = reader.needed_field()?;
    reader.expect(")")?;
    let alias = if reader.eat_word("as") { Some(reader.needed_field()?) } else { None };
    Ok(Conversion { function, pattern: field.text, alias })
}

/// The name of the result: wildcards of an alias stand for what those of the field did.
fn target(alias: Option<&Word>, pattern: &str, name: &Name) -> Name {
    match alias {
        Some(alias) => {
            let captures = wildcard::captures(pattern, name).unwrap_or_default();
            wildcard::filled(&alias.text, &captures).into()
        }
        None => name.clone(),
    }
}

fn converted(function: &str, value: Expr, format: &str) -> Lower<Expr> {
    match function {
        // What is no time stays as it is.
        "ctime" => {
            let written = call("strftime", vec![value.clone(), text(format)])?;
            Ok(Expr::Coalesce(vec![written, value], Kind::Field))
        }
        "mktime" => call("strptime", vec![value, text(format)]),
        other => {
            let found = CONVERSIONS.iter().find(|(name, _)| *name == other);
            call(found.map_or(".auto", |(_, item)| item), vec![value])
        }
    }
}

crate::command! {
    /// Turns fields into other spellings: times into text and back, durations and sizes into numbers.
    ///
    /// `ctime` writes seconds since 1970 by the `timeformat`, `mktime` reads such a text. `num` leaves nothing where
    /// there is no number, `auto`, `rmcomma` (no commas) and `rmunit` (no unit behind) leave what they cannot read.
    /// `dur2sec` reads `[D+]HH:MM:SS`, `mstime` `[MM:]SS.SSS`, `memk` sizes such as `2m`. `none` keeps fields out of
    /// wildcards that follow.
    ///
    /// Source: convert.
    ///
    /// ```spl
    /// | makeresults | convert timeformat="%Y-%m-%dT%H:%M:%S" ctime(_time) as t | table t // 2020-01-02T03:04:05
    /// | makeresults | eval t="01/02/2020 03:04:05" | convert mktime(t) | table t // 1577934245
    /// ```
    "convert": "convert [timeformat=<format>] <conversion>(<field>) [as <field>]..." = Rows(lower);
}
