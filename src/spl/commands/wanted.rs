//! Which series of a chart are wanted: `limit=5`, `where sum in top5`, `where max(x) > 100`.
use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::spl::ast::Word;
use crate::spl::lower::Lower;
use crate::spl::parse::Reader;
use std::collections::HashMap;

/// Series where nothing is said.
const DEFAULT_SERIES: usize = 10;

/// What makes one number of the cells of a series.
#[derive(Clone, Copy)]
enum Score {
    Sum,
    Count,
    Mean,
    Least,
    Greatest,
}

const SCORES: [(&str, Score); 8] = [
    ("sum", Score::Sum),
    ("count", Score::Sum),
    ("c", Score::Sum),
    ("dc", Score::Count),
    ("avg", Score::Mean),
    ("mean", Score::Mean),
    ("min", Score::Least),
    ("max", Score::Greatest),
];

#[derive(Clone, Copy)]
enum Test {
    All,
    /// So many with the greatest numbers, or with the smallest; or all but these.
    Ranked {
        count: usize,
        smallest: bool,
        others: bool,
    },
    Above(f64),
    Below(f64),
}

/// Which series are wanted.
#[derive(Clone, Copy)]
pub struct Wanted {
    score: Score,
    test: Test,
}

impl Wanted {
    /// `limit=5`, `limit=top5`, `limit=bottom5`, `limit=0` for all.
    pub fn limit(options: &Options) -> Lower<Wanted> {
        let top = |count| Test::Ranked { count, smallest: false, others: false };
        let test = match options.word("limit") {
            None => top(DEFAULT_SERIES),
            Some(word) => match ranked(&word.text, false) {
                Some(Test::Ranked { count: 0, .. }) => Test::All,
                Some(test) => test,
                None => {
                    let said =
                        Diagnostic::error("HP504", format!("`limit` is a number of series, not `{}`", word.text));
                    let said = said.at(word.span);
                    return Err(said.help("write limit=10, limit=bottom5, or limit=0 for all").into());
                }
            },
        };
        Ok(Wanted { score: Score::Sum, test })
    }

    /// What stands behind `where`, if that comes next.
    pub fn read(reader: &mut Reader) -> Lower<Option<Wanted>> {
        if !reader.eat_word("where") {
            return Ok(None);
        }
        let score = score(&reader.needed_field()?)?;
        let test = if reader.eat_word("in") {
            ranks(reader, false)?
        } else if reader.eat_word("notin") {
            ranks(reader, true)?
        } else if reader.eat(">") {
            Test::Above(bound(reader)?)
        } else if reader.eat("<") {
            Test::Below(bound(reader)?)
        } else {
            return Err(reader.expected("`in`, `notin`, `<` or `>`").into());
        };
        Ok(Some(Wanted { score, test }))
    }

    /// The names of those series that are wanted; none where all are.
    pub fn of(&self, cells: HashMap<String, Vec<f64>>) -> Option<Vec<String>> {
        let mut scores: Vec<(String, f64)> =
            cells.into_iter().map(|(name, cells)| (name, self.score.of(&cells))).collect();
        scores.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
        let all = scores.len();
        match self.test {
            Test::All => {}
            Test::Above(bound) => scores.retain(|(_, score)| *score > bound),
            Test::Below(bound) => scores.retain(|(_, score)| *score < bound),
            Test::Ranked { count, smallest, others } => {
                if smallest {
                    scores.sort_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| a.cmp(b)));
                }
                let rest = scores.split_off(count.min(scores.len()));
                scores = if others { rest } else { scores };
            }
        }
        (scores.len() < all).then(|| scores.into_iter().map(|(name, _)| name).collect())
    }
}

impl Score {
    fn of(self, cells: &[f64]) -> f64 {
        let sum = || cells.iter().sum::<f64>();
        match self {
            Score::Sum => sum(),
            Score::Count => cells.len() as f64,
            Score::Mean => sum() / cells.len().max(1) as f64,
            Score::Least => cells.iter().copied().fold(f64::INFINITY, f64::min),
            Score::Greatest => cells.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// `max` or `max(x)`.
fn score(word: &Word) -> Lower<Score> {
    let name = word.text.split('(').next().unwrap_or_default().trim();
    match SCORES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((_, score)) => Ok(*score),
        None => {
            let said = Diagnostic::error("HP504", format!("series have no `{}` to choose them by", word.text));
            Err(said.at(word.span).help("choose by sum, count, avg, min or max").into())
        }
    }
}

/// `5`, `top5`, `bottom5`.
fn ranked(text: &str, others: bool) -> Option<Test> {
    let lower = text.trim().to_ascii_lowercase();
    let (smallest, digits) = match (lower.strip_prefix("bottom"), lower.strip_prefix("top")) {
        (Some(digits), _) => (true, digits),
        (_, Some(digits)) => (false, digits),
        _ => (false, lower.as_str()),
    };
    digits.trim().parse().ok().map(|count| Test::Ranked { count, smallest, others })
}

fn ranks(reader: &mut Reader, others: bool) -> Lower<Test> {
    let word = reader.needed_word("top5 or bottom5")?;
    // The number may stand apart.
    let digits = if word.is("top") || word.is("bottom") { reader.count() } else { None };
    let text = digits.map_or(word.text.clone(), |count| format!("{}{count}", word.text));
    match ranked(&text, others) {
        Some(test) => Ok(test),
        None => {
            Err(Diagnostic::error("HP504", format!("`{text}` is no rank: write top5 or bottom5")).at(word.span).into())
        }
    }
}

fn bound(reader: &mut Reader) -> Lower<f64> {
    let word = reader.needed_word("a number")?;
    match word.text.parse() {
        Ok(bound) => Ok(bound),
        Err(_) => Err(Diagnostic::error("HP504", format!("`{}` is no number", word.text)).at(word.span).into()),
    }
}
