//! Where a pasted KQL query ends, and whether it is whole.

/// Headings that pages put below a query.
const PAGE_HEADINGS: &[&str] = &[
    "explanation",
    "details",
    "tables",
    "keywords",
    "operators",
    "actions",
    "references",
    "query details",
    "copy",
    "kql query",
    "query",
    "sentinel tables",
    "false positives",
    "description",
    "tags",
    "author",
    "raw content",
];

/// How much of the lines is the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Lines of the query.
    pub lines: usize,
    pub end: End,
}

/// What state the query ends in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    Whole,
    InString,
    InBrackets,
}

/// The query at the beginning of the lines: up to a table, a heading, prose, or a string that is cut off.
pub fn extent(lines: &[&str]) -> Extent {
    let mut scan = Scan::default();
    let mut significant = "";
    let mut after_blank = false;
    for (at, line) in lines.iter().enumerate() {
        let rest = lines.get(at + 1..).unwrap_or_default();
        let page = Prose { significant, after_blank, depth: scan.depth };
        if scan.fence.is_none() && (begins_table(line, rest) || page.begins(line.trim())) {
            return scan.extent(kept(lines, at));
        }
        if !scan.line(line) {
            return Extent { lines: at + 1, end: End::InString };
        }
        after_blank = line.trim().is_empty();
        if !after_blank && !line.trim().starts_with("//") {
            significant = line.trim();
        }
    }
    scan.extent(kept(lines, lines.len()))
}

/// What state a query ends in that is known to be nothing else.
pub fn ending(lines: &[&str]) -> End {
    let mut scan = Scan::default();
    match lines.iter().all(|line| scan.line(line)) {
        true => scan.extent(lines.len()).end,
        false => End::InString,
    }
}

/// The lines without blank ones at their end.
fn kept(lines: &[&str], count: usize) -> usize {
    let blank = |line: &&&str| line.trim().is_empty();
    count - lines.get(..count).unwrap_or_default().iter().rev().take_while(blank).count()
}

/// A Markdown table: a row of cells above a row of dashes.
fn begins_table(line: &str, rest: &[&str]) -> bool {
    let dashes = |line: &str| line.contains("--") && line.chars().all(|c| "|-: ".contains(c));
    let below = rest.iter().find(|line| !line.trim().is_empty()).is_some_and(|line| dashes(line.trim()));
    let line = line.trim();
    line.starts_with('|') && (dashes(line) || (line.ends_with('|') && below))
}

/// What stands above a line that may be the page's own again.
struct Prose<'a> {
    /// The last line that is neither blank nor a comment.
    significant: &'a str,
    after_blank: bool,
    depth: i32,
}

impl Prose<'_> {
    fn begins(&self, line: &str) -> bool {
        if line.is_empty() || self.significant.is_empty() || line.starts_with("//") {
            return false;
        }
        let outside = self.depth == 0 && !self.continues();
        is_sentence(line)
            || (self.depth == 0 && line.starts_with("```"))
            || (outside && PAGE_HEADINGS.contains(&line.trim_end_matches(':').to_lowercase().as_str()))
            || (outside && self.after_blank && line.starts_with(|c: char| c.is_uppercase() || c == '#'))
    }

    /// Whether the query cannot end with the line above.
    fn continues(&self) -> bool {
        let last = self.significant.split_whitespace().next_back().unwrap_or("");
        let words = ["union", "and", "or", "by", "on", "in", "of", "join", "lookup", "with", "|", "not"];
        words.contains(&last) || self.significant.ends_with([';', ',', '=', '+', '(', '{', '[', '-', '*', '/'])
    }
}

/// A sentence of a human language: words, and none of the signs that a query's line of that length has.
fn is_sentence(line: &str) -> bool {
    let line = line.split_once(" //").map_or(line, |(code, _)| code);
    let words: Vec<&str> = line.split_whitespace().collect();
    let plain = |word: &&&str| {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation() || c == '’');
        !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || "'’-/".contains(c))
    };
    let signs = [" = ", "==", "=~", "!=", "| ", ">=", "<="];
    let listed = words.iter().filter(|word| word.ends_with(',')).count() * 2 > words.len();
    let written = words.iter().filter(plain).count() * 10 >= words.len() * 7;
    line.starts_with(|c: char| c.is_uppercase())
        && words.len() >= 6
        && written
        && !listed
        && !line.ends_with(['(', ',', ';'])
        && !signs.iter().any(|sign| line.contains(sign))
}

/// Brackets and strings of KQL, line by line.
#[derive(Default)]
struct Scan {
    depth: i32,
    /// The mark of a string over several lines that is open.
    fence: Option<&'static str>,
}

impl Scan {
    fn extent(&self, lines: usize) -> Extent {
        let end = match (self.fence, self.depth) {
            (Some(_), _) => End::InString,
            (None, 0) => End::Whole,
            (None, _) => End::InBrackets,
        };
        Extent { lines, end }
    }

    /// Reads a line; false where it ends inside of a string that cannot go on.
    fn line(&mut self, line: &str) -> bool {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            if let Some(fence) = self.fence {
                let Some(at) = rest.find(fence) else { return true };
                self.fence = None;
                rest = rest.get(at + fence.len()..).unwrap_or("");
                continue;
            }
            if rest.starts_with("//") {
                return true;
            }
            self.fence = ["```", "~~~"].into_iter().find(|fence| rest.starts_with(fence));
            let width = if self.fence.is_some() { 3 } else { c.len_utf8() };
            let after = rest.get(width..).unwrap_or("");
            rest = match (c, self.fence) {
                ('"' | '\'', _) => match after_string(after, c, false) {
                    Some(after) => after,
                    None => return false,
                },
                ('@', _) if after.starts_with(['"', '\'']) => {
                    let quote = if after.starts_with('"') { '"' } else { '\'' };
                    match after_string(after.get(1..).unwrap_or(""), quote, true) {
                        Some(after) => after,
                        None => return false,
                    }
                }
                _ => after,
            };
            self.depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        }
        true
    }
}

/// What follows a string whose opening quote is read; in a verbatim one only a doubled quote escapes.
fn after_string(text: &str, quote: char, verbatim: bool) -> Option<&str> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && !verbatim {
            chars.next();
        } else if c == quote {
            match (verbatim, chars.peek()) {
                (true, Some((_, next))) if *next == quote => _ = chars.next(),
                _ => return text.get(at + 1..),
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> (usize, End) {
        let lines: Vec<&str> = text.lines().collect();
        let extent = extent(&lines);
        (extent.lines, extent.end)
    }

    #[test]
    fn a_query_ends_before_tables_headings_and_prose() {
        assert_eq!(ends("T\n| take 1\n| A | B |\n|---|---|\n"), (2, End::Whole));
        assert_eq!(ends("T\n| take 1\n\nExplanation\nx"), (2, End::Whole));
        assert_eq!(ends("T\n| take 1\nDetails\nx"), (2, End::Whole));
        assert_eq!(ends("T\n| take 1\nThis query finds the users that did a thing.\n"), (2, End::Whole));
        assert_eq!(ends("T\n| take 1\n```\n"), (2, End::Whole));
    }

    #[test]
    fn a_query_goes_on_over_blank_lines_and_unpiped_ones() {
        assert_eq!(ends("let a = 1;\n\nT\n| union\nSecurityEvent\n| project A,\n\nB\n").0, 8);
        assert_eq!(
            ends("T\n| summarize count(),\n  dcount(X)\n by Y\n// Some words in a comment that say a lot\n| take 1").0,
            6
        );
        assert_eq!(ends("let t = datatable(Name:string)[\n\n\"A\",\n];\nt"), (5, End::Whole));
        assert_eq!(ends("T | join (\nOther // Some words about the other table here\n| take 1)").0, 3);
        assert_eq!(ends("print x = ```\nSome words that are inside of a string here.\n```").1, End::Whole);
    }

    #[test]
    fn a_cut_is_seen() {
        assert_eq!(ends("T\n| where x == \"ab\n| A | B |\n|---|---|"), (2, End::InString));
        assert_eq!(ends("T\n| where x in (1,\n| A | B |\n|---|---|"), (2, End::InBrackets));
        assert_eq!(ends(r#"T | where x == @'a\' and y == 'it\'s' and z == "'" // don't"#), (1, End::Whole));
    }
}
