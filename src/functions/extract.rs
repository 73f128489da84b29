//! Functions that search with regular expressions (RE2's syntax), and one with JSON paths.
use super::row::{AnyText, each, text_of};
use super::string::{Searched, byte_of};
use super::text_lists::lists_of;
use super::{Context, operators, pattern};
use crate::diagnostic::{Fault, Result};
use crate::types::json::{self, PathStep};
use crate::types::{Builder, Column, Dynamic, Kind, Value};
use arrow_array::BooleanArray;
use regex::{CaptureLocations, Captures, NoExpand, Regex};
use std::borrow::Cow;
use std::sync::Arc;

/// Compiled patterns, the last one at hand: a constant one is looked up once.
pub(super) struct Patterns<'a> {
    context: &'a Context,
    last: Option<(String, Arc<Regex>)>,
}

impl<'a> Patterns<'a> {
    pub(super) fn new(context: &'a Context) -> Patterns<'a> {
        Patterns { context, last: None }
    }

    pub(super) fn get(&mut self, pattern: &str) -> Result<Arc<Regex>> {
        if let Some((known, regex)) = &self.last
            && known == pattern
        {
            return Ok(regex.clone());
        }
        let regex = pattern::compile(self.context, pattern)?;
        self.last = Some((pattern.to_owned(), regex.clone()));
        Ok(regex)
    }
}

pub(super) fn arguments<const N: usize>(args: &[Column]) -> Result<[&Column; N]> {
    let all: Option<Vec<&Column>> = (0..N).map(|at| args.get(at)).collect();
    all.and_then(|all| all.try_into().ok()).ok_or_else(|| Fault::internal("a function was given too few arguments"))
}

fn extract(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [pattern, group, source] = arguments(args)?;
    let mut patterns = Patterns::new(context);
    let mut places: Option<(Arc<Regex>, CaptureLocations)> = None;
    each(Kind::String, args, rows, |row, out| {
        let regex = patterns.get(&text_of(pattern, row))?;
        if places.as_ref().is_none_or(|(known, _)| !Arc::ptr_eq(known, &regex)) {
            places = Some((regex.clone(), regex.capture_locations()));
        }
        let text = text_of(source, row);
        let group = group.value(row).as_long().and_then(|group| usize::try_from(group).ok());
        let found = match (group, &mut places) {
            (Some(0), _) => regex.find(&text).map(|m| (m.start(), m.end())),
            (Some(group), Some((_, places))) => regex.captures_read(places, &text).and_then(|_| places.get(group)),
            _ => None,
        };
        out.push_text(found.and_then(|(start, end)| text.get(start..end)).unwrap_or_default());
        Ok(())
    })
}

/// The most groups that `extract_all` takes.
const MOST_GROUPS: usize = 16;

/// The groups that `extract_all` gives: all, or those that are named or numbered.
fn groups_of(regex: &Regex, wanted: Option<Vec<Value>>) -> Result<Vec<usize>> {
    let count = regex.captures_len() - 1;
    if count == 0 || count > MOST_GROUPS {
        let message = format!("extract_all() takes a pattern with 1 to {MOST_GROUPS} groups, and this one has {count}");
        return Err(Fault::query("HP132", message));
    }
    let Some(wanted) = wanted else { return Ok((1..=count).collect()) };
    let group = |value: &Value| {
        let number = match value.as_text() {
            Some(name) => regex.capture_names().position(|known| known == Some(name)),
            None => value.as_long().and_then(|number| usize::try_from(number).ok()),
        };
        number.filter(|number| (1..=count).contains(number)).ok_or_else(|| {
            Fault::query("HP132", format!("extract_all(): the pattern has no group {}", value.to_text()))
        })
    };
    wanted.iter().map(group).collect()
}

fn all_matches(regex: &Regex, groups: &[usize], text: &str) -> Option<String> {
    let mut writer = json::Writer::default();
    let mut any = false;
    writer.begin_array();
    for captures in regex.captures_iter(text) {
        any = true;
        let write = |group: &usize, writer: &mut json::Writer| {
            writer.string(captures.get(*group).map_or("", |m| m.as_str()));
        };
        match groups {
            [one] => write(one, &mut writer),
            several => {
                writer.begin_array();
                several.iter().for_each(|group| write(group, &mut writer));
                writer.end_array();
            }
        }
    }
    writer.end_array();
    any.then(|| writer.finish())
}

/// Whether a pattern is one group and nothing else, so that the group is the match.
fn is_one_group(pattern: &str) -> bool {
    // Comments and classes inside of classes would need a closer look.
    if !pattern.starts_with('(') || pattern.starts_with("(?") || pattern.contains(['#', '&', '~']) {
        return false;
    }
    let (mut depth, mut class, mut characters) = (0, None, pattern.char_indices());
    while let Some((at, character)) = characters.next() {
        match (character, class) {
            ('\\', _) => drop(characters.next()),
            ('[', Some(_)) => return false,
            // A bracket that a class begins with stands for itself.
            (']', Some(start)) if at > start + 1 && pattern.get(start..at) != Some("[^") => {
                class = None;
            }
            (_, Some(_)) => {}
            ('[', None) => class = Some(at),
            ('(', None) => depth += 1,
            (')', None) => {
                depth -= 1;
                if depth == 0 {
                    return at + 1 == pattern.len();
                }
            }
            _ => {}
        }
    }
    false
}

/// The arrays of what one group matched, for a pattern that is the same for all rows.
fn matches_of_one_group(
    args: &[Column],
    rows: usize,
    regex: &Regex,
    group: usize,
    pattern: &str,
    source: &Column,
) -> Result<Column> {
    let whole = is_one_group(pattern);
    lists_of(args, source, rows, |row, lists| {
        let text = text_of(source, row);
        let mut any = false;
        match whole {
            true => regex.find_iter(&text).for_each(|found| {
                any = true;
                lists.push(row, found.as_str());
            }),
            false => regex.captures_iter(&text).for_each(|captures| {
                any = true;
                lists.push(row, captures.get(group).map_or("", |found| found.as_str()));
            }),
        }
        if any { lists.end() } else { lists.end_null() }
    })
}

fn push_json(found: Option<String>, out: &mut Builder) {
    match found {
        Some(json) => out.push_text(&json),
        None => out.push_null(),
    }
}

fn extract_all(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [pattern, source] = arguments(args)?;
    let mut patterns = Patterns::new(context);
    if pattern.is_const() && rows > 0 {
        let pattern = text_of(pattern, 0);
        let regex = patterns.get(&pattern)?;
        if let [group] = groups_of(&regex, None)?.as_slice() {
            return matches_of_one_group(args, rows, &regex, *group, &pattern, source);
        }
    }
    each(Kind::Dynamic, args, rows, |row, out| {
        let regex = patterns.get(&text_of(pattern, row))?;
        push_json(all_matches(&regex, &groups_of(&regex, None)?, &text_of(source, row)), out);
        Ok(())
    })
}

fn extract_groups(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [pattern, groups, source] = arguments(args)?;
    let mut patterns = Patterns::new(context);
    each(Kind::Dynamic, args, rows, |row, out| {
        let regex = patterns.get(&text_of(pattern, row))?;
        let groups = groups_of(&regex, Dynamic::of(groups, row).and_then(Dynamic::elements))?;
        push_json(all_matches(&regex, &groups, &text_of(source, row)), out);
        Ok(())
    })
}

/// A rewrite with `\0` for the match and `\1` to `\9` for its groups.
fn rewrite(pattern: &str, captures: &Captures) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).and_then(|group| captures.get(group as usize));
                out.push_str(group.map_or("", |m| m.as_str()));
            }
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

fn replaced(context: &Context, args: &[Column], rows: usize, order: [usize; 3]) -> Result<Column> {
    let columns: [&Column; 3] = arguments(args)?;
    let at = |place: usize| columns.get(order.get(place).copied().unwrap_or(0)).copied().unwrap_or(columns[0]);
    let (source, pattern, rewritten) = (at(0), at(1), at(2));
    let mut patterns = Patterns::new(context);
    each(Kind::String, args, rows, |row, out| {
        let regex = patterns.get(&text_of(pattern, row))?;
        let rewritten = text_of(rewritten, row);
        let text = text_of(source, row);
        // Without a backslash nothing of the match is wanted.
        let made = match rewritten.contains('\\') {
            true => regex.replace_all(&text, |captures: &Captures| rewrite(&rewritten, captures)),
            false => regex.replace_all(&text, NoExpand(&rewritten)),
        };
        out.push_text(&made);
        Ok(())
    })
}

fn replace_regex(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    replaced(context, args, rows, [0, 1, 2])
}

/// The old spelling has the text last.
fn replace(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    replaced(context, args, rows, [2, 0, 1])
}

/// Plain matches may overlap.
fn count_plain(text: &str, sought: &str) -> i64 {
    if sought.is_empty() {
        return 0;
    }
    let (mut count, mut from) = (0, 0);
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(sought)) {
        count += 1;
        from += found;
        from += text.get(from..).map_or(1, |rest| byte_of(rest, 1));
    }
    count
}

fn count_of(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [source, sought] = arguments(args)?;
    if let (Some([byte]), true) = (sought.is_const().then(|| sought.text(0).unwrap_or("").as_bytes()), args.len() == 2)
        && byte.is_ascii()
    {
        return each(Kind::Long, args, rows, |row, out| {
            out.push_long(text_of(source, row).bytes().filter(|b| b == byte).count() as i64);
            Ok(())
        });
    }
    let mut patterns = Patterns::new(context);
    if let (Some(Column::Const(kind, _)), Column::Const(..)) = (args.get(2), sought)
        && kind.as_text() == Some("regex")
    {
        let regex = patterns.get(&text_of(sought, 0))?;
        return each(Kind::Long, args, rows, |row, out| {
            out.push_long(regex.find_iter(&text_of(source, row)).count() as i64);
            Ok(())
        });
    }
    each(Kind::Long, args, rows, |row, out| {
        let (text, sought) = (text_of(source, row), text_of(sought, row));
        let kind = args.get(2).map_or("normal".into(), |kind| text_of(kind, row));
        out.push_long(match kind.as_ref() {
            "normal" => count_plain(&text, &sought),
            "regex" => patterns.get(&sought)?.find_iter(&text).count() as i64,
            other => return Err(Fault::query("HP132", format!("countof() takes `normal` or `regex`, not `{other}`"))),
        });
        Ok(())
    })
}

fn index_of_regex(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [source, pattern] = arguments(args)?;
    let number = |at: usize, row, otherwise| args.get(at).and_then(|c| c.value(row).as_long()).unwrap_or(otherwise);
    let mut patterns = Patterns::new(context);
    each(Kind::Long, args, rows, |row, out| {
        let regex = patterns.get(&text_of(pattern, row))?;
        let text = text_of(source, row);
        let start = number(2, row, 0);
        let searched = Searched::new(&text, start, number(3, row, -1), number(4, row, 1)).filter(|_| start >= 0);
        match searched {
            Some(searched) => {
                let found = regex.find_iter(searched.part).nth(searched.skip);
                out.push_long(found.map_or(-1, |m| searched.place(m.start())));
            }
            None => out.push_null(),
        }
        Ok(())
    })
}

/// The steps of `$.a.b[0]['c']`; none where the path is not of this form.
pub fn json_path(path: &str) -> Option<Vec<PathStep>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, behind) = after.split_at_checked(end)?;
            steps.push(PathStep::Key(Some(key).filter(|key| !key.is_empty())?.into()));
            rest = behind;
            continue;
        }
        let (inside, behind) = rest.strip_prefix('[')?.split_once(']')?;
        let quoted = ['\'', '"'].iter().find_map(|quote| inside.strip_prefix(*quote)?.strip_suffix(*quote));
        steps.push(match quoted {
            Some(key) => PathStep::Key(key.into()),
            None => PathStep::Index(inside.trim().parse().ok()?),
        });
        rest = behind;
    }
    Some(steps)
}

fn extract_json(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (path, text) = operators::pair(args)?;
    if let (Column::Const(..), Column::Text(Kind::String, _)) = (path, text) {
        let steps = json_path(path.text(0).unwrap_or(""));
        return Ok(text.map_text(Kind::String, |text| {
            Some(match json::parsed_path(text, steps.as_ref()?)? {
                Cow::Borrowed(found) => json::to_string(found),
                Cow::Owned(found) => Cow::Owned(json::to_string(&found).into_owned()),
            })
        }));
    }
    let mut known: (&str, Option<Vec<PathStep>>) = ("", None);
    each(Kind::String, args, rows, |row, out| {
        let path = path.text(row).unwrap_or("");
        if known.0 != path {
            known = (path, json_path(path));
        }
        let text = text_of(text, row);
        match known.1.as_ref().and_then(|steps| json::parsed_path(&text, steps)) {
            Some(found) => out.push_text(&json::to_string(&found)),
            None => out.push_null(),
        }
        Ok(())
    })
}

/// Every character that is no letter, digit or underscore with a backslash before it, as RE2 quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_' {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// `matches regex` with RE2's syntax.
fn matches_regex(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, pattern) = operators::pair(args)?;
    if let Column::Const(value, _) = pattern {
        let regex = pattern::compile(context, value.as_text().unwrap_or(""))?;
        return Ok(operators::text_predicate(text, rows, |t| regex.is_match(t)));
    }
    let mut bits = Vec::with_capacity(rows);
    for row in 0..rows {
        let regex = pattern::compile(context, pattern.text(row).unwrap_or(""))?;
        bits.push(regex.is_match(text.text(row).unwrap_or("")));
    }
    Ok(Column::Bool(BooleanArray::from(bits)))
}

crate::scalars! {
    /// A text as a regular expression that matches it alone.
    ///
    /// Source: regex-quote-function.
    ///
    /// ```kql
    /// regex_quote("(so$me.Te^xt)") // \(so\$me\.Te\^xt\)
    /// ```
    kql fn regex_quote(text: AnyText) -> String { quoted(&text) }
}

crate::kernels! {
    /// The element that a JSON path leads to, as text; empty where there is none, or where the text is no JSON.
    ///
    /// A path is `$` and steps into it: `.name`, `['name']`, `[0]`. With a type as the third argument, the
    /// text is converted to it.
    ///
    /// Source: extract-json-function.
    ///
    /// ```kql
    /// extract_json("$.name", '{"name": "John", "age": 30}') // John
    /// extract_json("$.a[1]['b c']", '{"a": [0, {"b c": 5}]}') // 5
    /// extract_json("$.b", '{"a": 1}') //
    /// extract_json("$.a", '{"a": {"b": 5}}', typeof(dynamic)).b // 5
    /// ```
    kql fn extract_json as [extractjson] (path: String, text: Any) -> Kind(Kind::String) = extract_json;

    /// Whether a regular expression (RE2's syntax) matches anywhere in a text.
    ///
    /// Source: matches-regex-operator.
    ///
    /// ```kql
    /// "4625" matches regex @"^\d{4}$" // true
    /// ```
    kql fn "matches regex" (text: String, pattern: String) -> Kind(Kind::Bool) = matches_regex;

    /// What a group of a regular expression matched first in a text; empty where nothing matched.
    ///
    /// Group 0 is the whole match. With a type as the fourth argument, the text is converted to it.
    ///
    /// Source: extract-function.
    ///
    /// ```kql
    /// extract("x=([0-9.]+)", 1, "hello x=45.6|wo") // 45.6
    /// extract(@"\d+", 0, "User: David, Age: 35") // 35
    /// extract(@"Email: (\S+),", 1, "User: David, Age: 35") //
    /// ```
    kql fn extract (regex: String, group: Long, source: Any) -> Kind(Kind::String) = extract;

    /// What the groups of a regular expression matched in a text, every time; null where nothing matched.
    ///
    /// With one group an array of texts, with several an array of arrays.
    ///
    /// Source: extract-all-function.
    ///
    /// ```kql
    /// extract_all(@"(\d+)", "a set of numbers: 123, 567 and 789") // ["123","567","789"]
    /// extract_all(@"(\w)(\d)", "a1 b2") // [["a","1"],["b","2"]]
    /// extract_all(@"(\d+)", "none") // null
    /// ```
    kql fn extract_all as [extractall] (regex: String, source: Any) -> Kind(Kind::Dynamic) = extract_all;

    /// What some groups of a regular expression, by number or name, matched in a text, every time.
    ///
    /// Source: extract-all-function.
    ///
    /// ```kql
    /// extract_all(@"(\w)(\w+)(\w)", dynamic([1, 3]), "82b8-dfa7") // [["8","8"],["d","7"]]
    /// extract_all(@"(?P<first>\w)(?P<rest>\w+)", dynamic(["rest"]), "82b8-dfa7") // ["2b8","fa7"]
    /// ```
    kql fn extract_all as [extractall] (regex: String, groups: Dynamic, source: Any) -> Kind(Kind::Dynamic) = extract_groups;

    /// A text with every match of a regular expression rewritten.
    ///
    /// In the rewrite `\0` is the whole match, `\1` its first group, and so on.
    ///
    /// Source: replace-regex-function.
    ///
    /// ```kql
    /// replace_regex("Number is 1", @"is (\d+)", @"was: \1") // Number was: 1
    /// ```
    kql fn replace_regex (source: Any, regex: String, rewrite: String) -> Kind(Kind::String) = replace_regex;

    /// The older form of `replace_regex`, with the text last.
    ///
    /// Source: replace-regex-function.
    ///
    /// ```kql
    /// replace(@"is (\d+)", @"was: \1", "Number is 1") // Number was: 1
    /// ```
    kql fn replace (regex: String, rewrite: String, source: Any) -> Kind(Kind::String) = replace;

    /// How often a text stands in another (matches may overlap), or a regular expression matches (they do not).
    ///
    /// The third argument is `normal`, the default, or `regex`.
    ///
    /// Source: countof-function.
    ///
    /// ```kql
    /// countof("aaaa", "aa") // 3
    /// countof("ababa", "aba", "regex") // 1
    /// countof("abcabc", "a.c", "regex") // 2
    /// ```
    kql fn countof (source: Any, sought: String, kind[optional]: String) -> Kind(Kind::Long) = count_of;

    /// The place of the first match of a regular expression in a text; -1 where there is none.
    ///
    /// A `length` of -1 is no limit; `occurrence` asks for a later match. Null for a negative `start` or
    /// `occurrence` and for a `length` below -1.
    ///
    /// Source: indexof-regex-function.
    ///
    /// ```kql
    /// indexof_regex("abcabc", "a.c") // 0
    /// indexof_regex("abcabcdefg", "a.c", 0, 9, 2) // 3
    /// indexof_regex("ababaa", "a.a", 0, -1, 2) // -1
    /// indexof_regex("abcabc", "a|ab", -1) // null
    /// ```
    kql fn indexof_regex (
        source: Any, regex: Any, start[optional]: Long, length[optional]: Long, occurrence[optional]: Long,
    ) -> Kind(Kind::Long) = index_of_regex;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extracted(path: &str, text: &str) -> Option<String> {
        let found = json::parse_json(text)?;
        Some(json::to_string(json::path(&found, &json_path(path)?)?.text()).into_owned())
    }

    #[test]
    fn plain_matches_overlap() {
        assert_eq!(count_plain("ababa", "aba"), 2);
        assert_eq!(count_plain("ééé", "éé"), 2);
        assert_eq!(count_plain("abc", ""), 0);
    }

    #[test]
    fn paths_into_json() {
        assert_eq!(extracted("$.a.b[-1]", r#"{"a":{"b":[1,"x"]}}"#).as_deref(), Some("x"));
        assert_eq!(extracted("$", r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        for wrong in ["", "a", "$a", "$.", "$[", "$[x]"] {
            assert_eq!(extracted(wrong, r#"{"a":1}"#), None, "{wrong}");
        }
    }
}
