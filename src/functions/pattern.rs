//! Regular expressions with RE2's meaning.
use super::Context;
use crate::diagnostic::{Fault, Result};
use regex::{Regex, RegexBuilder};
use std::sync::Arc;

/// The pattern, compiled once a run. `\d`, `\w`, `\s` and `\b` are ASCII, as in RE2. Each thread has a copy of its own:
/// of one for all of them they would wait for each other at every text.
///
/// Errors: KS-like QueryError with the pattern's own fault.
pub fn compile(context: &Context, pattern: &str) -> Result<Arc<Regex>> {
    let key = format!("{:?} {pattern}", std::thread::current().id());
    context.prepared("regex of a thread", &key, || compiled(context, pattern).map(|regex| Regex::clone(&regex)))
}

fn compiled(context: &Context, pattern: &str) -> Result<Arc<Regex>> {
    context.prepared("regex", pattern, || {
        let built = RegexBuilder::new(&ascii_classes(pattern)).size_limit(64 << 20).build();
        built.map_err(|error| {
            Fault::query("HP131", format!("bad regular expression `{pattern}`: {}", first_line(&error)))
        })
    })
}

fn first_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("").trim().trim_start_matches("error: ").to_owned()
}

/// Rust's regex takes `\d`, `\w`, `\s`, `\b` as Unicode; RE2 as ASCII.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut in_class = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(class @ ('d' | 'w' | 's')) if in_class > 0 => out.push_str(posix(class)),
                Some(class @ ('d' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B')) if in_class == 0 => {
                    out.push_str(ascii(class))
                }
                // RE2 takes `\/`, `\-`, `\"` and the like as the character itself.
                Some(c) if !c.is_ascii_alphanumeric() => out.push_str(&regex::escape(&c.to_string())),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            '[' if in_class == 0 => {
                in_class = 1;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                // A bracket that comes first is itself.
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            '[' if chars.peek() == Some(&':') => {
                in_class += 1;
                out.push('[');
            }
            // Rust's classes nest and have set operators; RE2's do not.
            '[' => out.push_str("\\["),
            '&' | '~' if in_class > 0 => out.extend(['\\', c]),
            ']' if in_class > 0 => {
                in_class -= 1;
                out.push(']');
            }
            c => out.push(c),
        }
    }
    out
}

fn ascii(class: char) -> &'static str {
    match class {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        'b' => "(?-u:\\b)",
        _ => "(?-u:\\B)",
    }
}

fn posix(class: char) -> &'static str {
    match class {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        _ => "\\t\\n\\f\\r ",
    }
}
