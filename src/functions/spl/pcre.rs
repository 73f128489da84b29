//! Regular expressions as PCRE reads them.
//!
//! A pattern runs on an engine whose time is linear in the text; one with look-around, backreferences or other
//! forms that need it runs on one that backtracks, up to a limit.
use super::translate::translate;
use crate::diagnostic::{Fault, Result};
use crate::functions::Context;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    source: String,
    /// None where only backtracking can run the pattern.
    linear: Option<regex::Regex>,
    backtracking: OnceLock<std::result::Result<fancy_regex::Regex, String>>,
    /// Whether a `$` or `\Z` may stand before a last line end, which the linear engine does not know.
    ends: bool,
    most: usize,
    names: Vec<Option<String>>,
}

/// Where the groups of a match stand in the text; group 0 is the whole match.
pub type Groups = Vec<Option<(usize, usize)>>;

/// The pattern, compiled once a run.
///
/// Errors: a QueryError with the pattern's own fault.
pub fn compile(context: &Context, pattern: &str) -> Result<Arc<Pattern>> {
    context.prepared("pcre", pattern, || Pattern::new(pattern, context.limits.backtracks))
}

impl Pattern {
    /// A pattern that may take back so many steps on one text.
    pub fn new(source: &str, most: usize) -> Result<Pattern> {
        let form = translate(source);
        // An inner line end before the end of the text is the other engine's business.
        let built = regex::RegexBuilder::new(&form.linear).size_limit(64 << 20).build();
        let mut pattern = Pattern {
            source: form.backtracking,
            linear: built.ok(),
            backtracking: OnceLock::new(),
            ends: form.ends,
            most,
            names: Vec::new(),
        };
        pattern.names = match &pattern.linear {
            Some(linear) => linear.capture_names().map(|name| name.map(str::to_owned)).collect(),
            None => {
                let bad = |error: &str| Fault::query("HP131", format!("bad regular expression `{source}`: {error}"));
                let other = pattern.backtracking().map_err(bad)?;
                other.capture_names().map(|name| name.map(str::to_owned)).collect()
            }
        };
        Ok(pattern)
    }

    fn backtracking(&self) -> std::result::Result<&fancy_regex::Regex, &str> {
        let built = self.backtracking.get_or_init(|| {
            let built = fancy_regex::RegexBuilder::new(&self.source).backtrack_limit(self.most).build();
            built.map_err(|error| error.to_string().replace('\n', " "))
        });
        built.as_ref().map_err(String::as_str)
    }

    /// The name of each group; the first is the whole match, which has none.
    pub fn names(&self) -> &[Option<String>] {
        &self.names
    }

    /// The names of groups, each once.
    pub fn distinct_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.names.iter().flatten() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The numbers of the groups of a name.
    pub fn places(&self, name: &str) -> Vec<usize> {
        let named = self.names.iter().enumerate().filter(|(_, own)| own.as_deref() == Some(name));
        named.map(|(at, _)| at).collect()
    }

    /// The engine for a text: the linear one wherever it gives PCRE's answer.
    fn linear(&self, text: &str) -> Option<&regex::Regex> {
        self.linear.as_ref().filter(|_| !(self.ends && text.ends_with('\n')))
    }

    fn other(&self) -> Result<&fancy_regex::Regex> {
        let bad = |error: &str| Fault::query("HP131", format!("bad regular expression: {error}"));
        self.backtracking().map_err(bad)
    }

    pub fn is_match(&self, text: &str) -> Result<bool> {
        match self.linear(text) {
            Some(linear) => Ok(linear.is_match(text)),
            None => self.other()?.is_match(text).map_err(stopped),
        }
    }

    /// The groups of the first match that begins at `start` or later.
    pub fn groups_at(&self, text: &str, start: usize) -> Result<Option<Groups>> {
        if let Some(linear) = self.linear(text) {
            let found = linear.captures_at(text, start);
            return Ok(found.map(|groups| groups.iter().map(|g| g.map(|g| (g.start(), g.end()))).collect()));
        }
        let found = self.other()?.captures_from_pos(text, start).map_err(stopped)?;
        Ok(found.map(|groups| groups.iter().map(|g| g.map(|g| (g.start(), g.end()))).collect()))
    }

    /// Calls `visit` with each match, one behind the other, until it says false.
    pub fn each_match(&self, text: &str, mut visit: impl FnMut(&Groups) -> bool) -> Result<()> {
        let (mut start, mut last) = (0, None);
        while start <= text.len() {
            let Some(groups) = self.groups_at(text, start)? else { return Ok(()) };
            let Some((from, to)) = groups.first().copied().flatten() else { return Ok(()) };
            start = match to > from {
                true => to,
                false => next_character(text, to),
            };
            // An empty match right behind another one is none.
            let empty_again = from == to && last == Some(from);
            last = Some(to);
            if !empty_again && !visit(&groups) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The text with every match replaced: `\1` in the replacement is what the first group matched.
    pub fn replace<'t>(&self, text: &'t str, replacement: &str) -> Result<Cow<'t, str>> {
        self.replace_some(text, replacement, |_| true)
    }

    /// The same for the matches whose number, from 1, is wanted.
    pub fn replace_some<'t>(
        &self,
        text: &'t str,
        replacement: &str,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Cow<'t, str>> {
        let (mut out, mut copied, mut number) = (String::new(), 0, 0);
        self.each_match(text, |groups| {
            number += 1;
            if let Some((from, to)) = groups.first().copied().flatten().filter(|_| wanted(number)) {
                out.push_str(text.get(copied..from).unwrap_or_default());
                fill(replacement, text, groups, &mut out);
                copied = to;
            }
            true
        })?;
        if copied == 0 && out.is_empty() && number == 0 {
            return Ok(Cow::Borrowed(text));
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok(Cow::Owned(out))
    }
}

fn stopped(error: fancy_regex::Error) -> Fault {
    match error {
        fancy_regex::Error::RuntimeError(_) => {
            Fault::limit("backtracks", "a regular expression takes too many steps back on one text")
        }
        other => Fault::query("HP131", format!("bad regular expression: {other}")),
    }
}

fn next_character(text: &str, at: usize) -> usize {
    at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// Appends a replacement: `\1` and `\0` are groups, `\\` a backslash.
fn fill(replacement: &str, text: &str, groups: &Groups, out: &mut String) {
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some(digit @ '0'..='9') => {
                let group = groups.get(digit as usize - '0' as usize).copied().flatten();
                out.push_str(group.and_then(|(from, to)| text.get(from..to)).unwrap_or_default());
            }
            Some('\\') | None => out.push('\\'),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(other) => out.extend(['\\', other]),
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Pattern {
        Pattern::new(source, 100_000).unwrap()
    }

    fn matches(source: &str, text: &str) -> bool {
        pattern(source).is_match(text).unwrap()
    }

    #[test]
    fn classes_are_ascii_and_an_end_may_stand_before_a_line_end() {
        assert!(matches(r"^\d+$", "12") && matches(r"^\d+$", "12\n") && !matches(r"^\d+$", "12\n\n"));
        assert!(!matches(r"^\d+$", "١٢") && !matches(r"^\w$", "é") && matches(r"^[\W]$", "é"));
        assert!(matches(r"\bcat\b", "a cat") && !matches(r"^\d+\z", "12\n") && matches(r"^12\Z", "12\n"));
        assert!(matches("(?m)^b$", "a\nb\nc") && !matches("^b$", "a\nb\nc"));
    }

    #[test]
    fn what_pcre_takes_is_taken() {
        assert!(matches(r"a{", "a{") && matches(r"{x}", "{x}") && matches(r"a{1,x}", "a{1,x}"));
        assert!(matches(r"a{2}", "aa") && !matches(r"^a{2}$", "a{2}") && matches(r"^a{,3}$", "a{,3}"));
        assert!(matches(r"\/\-\<\>\_\'\%", "/-<>_'%") && matches(r"^[]a]+$", "]a") && matches(r"^[^]a]$", "b"));
        assert!(matches(r"^[a-z&&b]+$", "&") && matches(r"[[]", "[") && matches(r"^[[:alpha:]_]+$", "a_"));
        assert!(matches(r"\Qa.b\E+", "a.bb") && matches(r"^\h+$", " \t") && matches(r"^a\Rb$", "a\r\nb"));
        assert!(matches("(?<n>a)(?'m'b)(?P<o>c)", "abc") && matches(r"\x41\x{42}\e?", "AB"));
    }

    #[test]
    fn look_around_and_references_backtrack() {
        assert!(matches(r"(?<=a)b(?!c)", "abd") && !matches(r"(?<=a)b(?!c)", "abc"));
        assert!(matches(r"(\w)\1", "xaay") && !matches(r"^(\w)\1$", "ab"));
        assert!(matches(r"(?>a+)b", "aab") && matches(r"a++b", "aab"));
        assert!(matches(r"(?i)(?<!x)ADMIN$", "an admin\n"));
    }

    #[test]
    fn too_many_steps_are_a_limit() {
        let slow = pattern(r"^(?:(a+)\1?)+b$");
        let fault = slow.is_match(&"a".repeat(60)).unwrap_err();
        assert!(format!("{fault:?}").contains("backtracks"), "{fault:?}");
        assert!(Pattern::new("(", 10).is_err() && Pattern::new("(?<=a", 10).is_err());
    }

    #[test]
    fn matches_are_replaced() {
        let replaced = |source: &str, text: &str, with: &str| pattern(source).replace(text, with).unwrap().into_owned();
        assert_eq!(replaced(r"^(\d{1,2})/(\d{1,2})/", "1/14/2023", r"\2/\1/"), "14/1/2023");
        assert_eq!(replaced("x*", "abc", "-"), "-a-b-c-");
        assert_eq!(replaced("b", "abc", r"\\"), r"a\c");
        assert_eq!(replaced("q", "abc", ""), "abc");
        assert_eq!(replaced("abc", "abc", ""), "");
        assert_eq!(replaced("é?", "éa", "-"), "-a-");
        let second = pattern("a").replace_some("aaa", "b", |number| number == 2).unwrap();
        assert_eq!(second, "aba");
    }

    #[test]
    fn groups_have_names() {
        let found = pattern(r"(?<key>\w)=(?P<value>\w)?");
        assert_eq!(found.names()[1..], [Some("key".to_owned()), Some("value".to_owned())]);
        let groups = found.groups_at("a=1 b=", 1).unwrap().unwrap();
        assert_eq!(groups[1..], [Some((4, 5)), None]);
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_taken_or_refused(source in "[a-z0-9(){}\\[\\]|*+?.^$\\\\<>=!:,&~-]{0,24}", text in ".{0,20}") {
            if let Ok(pattern) = Pattern::new(&source, 1000) {
                let _ = pattern.is_match(&text);
                let _ = pattern.replace(&text, r"\1x");
            }
        }
    }
}
