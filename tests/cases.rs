//! Runs `tests/cases/**/*.md`: every heading with a query is a test. `BLESS=1` writes the answers that the engine
//! gives, for an author to look at; an empty `error` block is filled too. The form is told in `pages`.
mod pages;

use libtest_mimic::{Arguments, Failed, Trial};
use pages::{Case, Cells, Settings, parse, run};
use std::fs;
use std::path::Path;

fn check(case: &Case) -> Result<(), Failed> {
    match (run(case, Settings::default()), &case.answer, &case.error) {
        (Ok(got), Some((_, want)), None) if got == *want => Ok(()),
        (Ok(got), answer, _) => {
            let want = answer.as_ref().map_or("nothing: run BLESS=1".to_owned(), |(_, want)| render(want).join("\n"));
            Err(format!("{}\ngot\n{}\nwant\n{want}", case.query, render(&got).join("\n")).into())
        }
        (Err(error), _, Some((_, want))) if !want.is_empty() && error.contains(want.as_str()) => Ok(()),
        (Err(error), ..) => Err(format!("{}\n{error}", case.query).into()),
    }
}

fn render(table: &Cells) -> Vec<String> {
    let escaped: Cells = table.iter().map(|row| row.iter().map(|c| c.replace('|', "\\|")).collect()).collect();
    let width = |at: usize| escaped.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..escaped.first().map_or(0, Vec::len)).map(|at| width(at).max(1)).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(c, w)| format!(" {c}{} ", " ".repeat(w - c.chars().count())));
        format!("|{}|", padded.collect::<Vec<_>>().join("|"))
    };
    let mut lines: Vec<String> = escaped.iter().map(line).collect();
    let rule = widths.iter().map(|w| "-".repeat(w + 2)).collect::<Vec<_>>().join("|");
    lines.insert(1.min(lines.len()), format!("|{rule}|"));
    lines
}

/// Writes the engine's answers into the page, from the last case to the first.
fn bless(path: &Path, text: &str) {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for case in parse(text).iter().rev() {
        match (run(case, Settings::default()), &case.answer, &case.error) {
            (Ok(answer), Some((range, _)), None) => drop(lines.splice(range.clone(), render(&answer))),
            (Ok(answer), None, None) => {
                drop(lines.splice(case.after..case.after, std::iter::once(String::new()).chain(render(&answer))));
            }
            (Err(error), None, Some((at, said))) if said.is_empty() => {
                drop(lines.splice(*at..*at, error.lines().map(String::from)));
            }
            _ => {}
        }
    }
    fs::write(path, lines.join("\n") + "\n").expect("the page can be written");
}

fn main() {
    let mut trials = Vec::new();
    for (path, page) in pages::all() {
        let text = fs::read_to_string(&path).expect("a page is text");
        if std::env::var_os("BLESS").is_some() {
            bless(&path, &text);
        }
        let text = fs::read_to_string(&path).expect("a page is text");
        for case in parse(&text) {
            trials.push(Trial::test(format!("{page} {}", case.title), move || check(&case)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
