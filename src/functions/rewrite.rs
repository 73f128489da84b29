//! Functions that make a text of another: with parts replaced, or repeated.
use super::Context;
use super::row::{AnyText, Dyn, Long, Maybe, Str, each};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Dynamic, Kind, Value};
use memchr::memmem::Finder;

fn replace_string(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let [text, lookup, rewrite] = args else { return Err(Fault::internal("replace_string() takes three texts")) };
    let constant = lookup.is_const().then(|| Finder::new(lookup.text(0).unwrap_or("").as_bytes()));
    let mut made = String::new();
    each(Kind::String, args, rows, |row, out| {
        let (text, rewrite) = (text.text(row).unwrap_or(""), rewrite.text(row).unwrap_or(""));
        let own;
        let finder = match &constant {
            Some(finder) => finder,
            None => {
                own = Finder::new(lookup.text(row).unwrap_or("").as_bytes());
                &own
            }
        };
        made.clear();
        let mut at = 0;
        if !finder.needle().is_empty() {
            for found in finder.find_iter(text.as_bytes()) {
                made.push_str(text.get(at..found).unwrap_or_default());
                made.push_str(rewrite);
                at = found + finder.needle().len();
            }
        }
        match at {
            0 => out.push_text(text),
            at => {
                made.push_str(text.get(at..).unwrap_or_default());
                out.push_text(&made);
            }
        }
        Ok(())
    })
}

/// Each lookup in turn claims its matches in what the earlier ones left.
fn replace_strings(text: &str, lookups: Dynamic, rewrites: Dynamic) -> String {
    let (lookups, rewrites) = (lookups.elements().unwrap_or_default(), rewrites.elements().unwrap_or_default());
    let string = |value: &Value| value.as_text().filter(|_| value.kind() == Kind::String).map(str::to_owned);
    let mut claimed: Vec<(usize, usize, Option<String>)> = Vec::new();
    for (place, lookup) in lookups.iter().enumerate() {
        let Some(lookup) = string(lookup).filter(|l| !l.is_empty()) else { continue };
        let rewrite = rewrites.get(place).and_then(string);
        let mut from = 0;
        while let Some(found) = text.get(from..).and_then(|rest| rest.find(&lookup)) {
            let (start, end) = (from + found, from + found + lookup.len());
            match claimed.iter().find(|(s, e, _)| start < *e && *s < end) {
                Some((_, taken, _)) => from = (*taken).max(start + 1),
                None => {
                    claimed.push((start, end, rewrite.clone()));
                    from = end;
                }
            }
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
    }
    claimed.sort_unstable_by_key(|(start, ..)| *start);
    rewritten(text, &claimed)
}

/// The text with parts of it replaced; a part without a rewrite stays.
fn rewritten(text: &str, parts: &[(usize, usize, Option<String>)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, rewrite) in parts {
        out.push_str(text.get(at..*start).unwrap_or_default());
        out.push_str(rewrite.as_deref().or_else(|| text.get(*start..*end)).unwrap_or_default());
        at = *end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A replacement list that is too short is filled up with its last character.
fn translate(sought: &str, replacements: &str, text: &str) -> String {
    let replacements: Vec<char> = replacements.chars().collect();
    let replaced = |c: char| match sought.chars().position(|s| s == c) {
        Some(place) => replacements.get(place).or(replacements.last()).copied(),
        None => Some(c),
    };
    text.chars().filter_map(replaced).collect()
}

/// The most copies that `strrep` makes.
const MOST_COPIES: i64 = 1024;

fn replicate(text: &str, count: i64, delimiter: &str) -> String {
    let count = usize::try_from(count.clamp(0, MOST_COPIES)).unwrap_or(0);
    let mut out = String::with_capacity(count.saturating_mul(text.len() + delimiter.len()));
    for copy in 0..count {
        if copy > 0 {
            out.push_str(delimiter);
        }
        out.push_str(text);
    }
    out
}

crate::scalars! {
    /// A text with every occurrence of several others replaced, the first of them before the second, and so on.
    ///
    /// Lookups that are no strings are ignored; what has no string as its rewrite stays as it is.
    ///
    /// Source: replace-strings-function.
    ///
    /// ```kql
    /// replace_strings("cat and dog", dynamic(["cat", "dog"]), dynamic(["dog", "pigeon"])) // dog and pigeon
    /// replace_strings("This is", dynamic(["is", "This"]), dynamic(["was", "This"])) // Thwas was
    /// ```
    kql fn replace_strings(text: Str, lookups: Dyn, rewrites: Dyn) -> String { replace_strings(text, lookups, rewrites) }

    /// A text in which characters are replaced by others, one for one.
    ///
    /// Where the replacements are fewer, the last one serves the rest; with none, the characters are removed.
    ///
    /// Source: translate-function.
    ///
    /// ```kql
    /// translate("abc", "x", "abc") // xxx
    /// translate("krasp", "otsku", "spark") // kusto
    /// ```
    kql fn translate(sought: Str, replacements: Str, text: Str) -> String { translate(sought, replacements, text) }

    /// A text repeated, at most 1024 times, with a delimiter between the copies.
    ///
    /// Source: strrep-function.
    ///
    /// ```kql
    /// strrep("ABC", 2) // ABCABC
    /// strrep(123, 3, ".") // 123.123.123
    /// ```
    kql fn strrep(value: AnyText, count: Long, delimiter: Maybe<AnyText>) -> String {
        replicate(&value, count, delimiter.as_deref().unwrap_or_default())
    }
}

crate::kernels! {
    /// A text with every occurrence of another replaced.
    ///
    /// Source: replace-string-function.
    ///
    /// ```kql
    /// replace_string("A magic trick can turn a cat into a dog", "cat", "hamster") // A magic trick can turn a hamster into a dog
    /// ```
    kql fn replace_string (text: String, lookup: String, rewrite: String) -> Kind(Kind::String) = replace_string;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_lookups_claim_first() {
        let replace = |lookups: &'static str, rewrites: &'static str| {
            replace_strings("This is an example", Dynamic::Json(lookups), Dynamic::Json(rewrites))
        };
        assert_eq!(replace(r#"["This","is"]"#, r#"["This","was"]"#), "This was an example");
        assert_eq!(replace(r#"["is","This"]"#, r#"["was","This"]"#), "Thwas was an example");
        assert_eq!(replace(r#"["This","is"]"#, r#"[12345,"was"]"#), "This was an example");
        assert_eq!(replace(r#"["", 5]"#, "[]"), "This is an example");
    }
}
