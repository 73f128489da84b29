//! `extract` and `xmlkv`: pairs of keys and values as fields.
use super::options::Options;
use super::whole;
use crate::diagnostic::Diagnostic;
use crate::functions::extraction::{pairs, tags};
use crate::spl::ast::{Command, Word};
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;

const OPTIONS: [&str; 10] =
    ["pairdelim", "kvdelim", "clean_keys", "reload", "auto", "limit", "maxchars", "mv_add", "segment", "field"];

fn extract(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &OPTIONS)?;
    if let Some(name) = reader.word() {
        let message = format!("`extract` cannot apply the extraction `{}`", name.text);
        let said = Diagnostic::error("HP506", message).at(name.span);
        return Err(said.help("extractions of an add-on are applied to its events by themselves").into());
    }
    options.read_more(&mut reader, &OPTIONS)?;
    reader.finish()?;
    let mut by = pairs::Delimiters::default();
    if let Some(word) = options.word("pairdelim") {
        by.pairs = characters(word)?;
    }
    if let Some(word) = options.word("kvdelim") {
        by.keys = characters(word)?;
    }
    by.cleans_keys = options.flag("clean_keys")?.unwrap_or(true);
    by.repeats = options.flag("mv_add")?.unwrap_or(false);
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let input = options.text("field").unwrap_or("_raw");
    let longest = options.count("maxchars")?.map_or(usize::MAX, |most| most as usize);
    let table = whole::with_found(&table, input, command.name.span, |text, found| {
        pairs::walk(beginning(text, longest), &by, found);
    })?;
    Ok(lowering.known(&rows, table))
}

fn characters(word: &Word) -> Lower<Vec<char>> {
    let characters: Vec<char> = word.text.replace("\\t", "\t").replace("\\n", "\n").chars().collect();
    match characters.is_empty() {
        true => Err(Diagnostic::error("HP504", "delimiters are characters in quotes").at(word.span).into()),
        false => Ok(characters),
    }
}

/// The first characters of a text.
fn beginning(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

fn xmlkv(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let mut options = Options::read(&mut reader, &["maxinputs"])?;
    let field = reader.field();
    options.read_more(&mut reader, &["maxinputs"])?;
    reader.finish()?;
    let Some(table) = lowering.seen(&rows, command.name.span)? else { return Ok(rows.opened()) };
    let input = field.as_ref().map_or("_raw", |word| word.text.as_str());
    let table = whole::with_found(&table, input, command.name.span, |text, found| tags::pairs(text, found))?;
    Ok(lowering.known(&rows, table))
}

crate::command! {
    /// Pairs of keys and values in `_raw` as fields.
    ///
    /// Each character of `pairdelim` ends a pair, each of `kvdelim` a key; values may stand in quotes. Keys become names:
    /// characters that no name has are written `_`, unless `clean_keys` is false. The first value of a key counts, with `mv_add=true` each.
    ///
    /// Source: extract.
    ///
    /// ```spl
    /// | makeresults | eval _raw="a=1 b=\"x y\"" | extract | fields b // x y
    /// | makeresults | eval _raw="k:1|l:2" | kv pairdelim="|" kvdelim=":" | fields l // 2
    /// ```
    "extract" as ["kv"]: "extract [pairdelim=<characters>] [kvdelim=<characters>] [clean_keys=<flag>] [mv_add=<flag>]" = Rows(extract);
    /// The texts of XML elements as fields: `<a>1</a>` is the field a with the value 1.
    ///
    /// The XML is that of `_raw`, or of the field that is named. Elements of one name give several values.
    ///
    /// Source: xmlkv.
    ///
    /// ```spl
    /// | makeresults | eval t="<A>1</A><B>x y</B>" | xmlkv t | fields B // x y
    /// ```
    "xmlkv": "xmlkv [<field>]" = Rows(xmlkv);
}
