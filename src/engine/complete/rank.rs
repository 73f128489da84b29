//! Which candidates fit what is written, and in what order they are shown.
use super::candidates::Candidate;
use super::usual::place;
use super::{Completion, CompletionKind};
use crate::diagnostic::Span;
use std::collections::HashSet;

/// Nobody reads further.
const MOST: usize = 500;

/// How well a name fits what is written of it; the better, the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It begins so, or nothing is written.
    Begins,
    /// It begins so but for the case of letters.
    BeginsInAnyCase,
    /// One of its words begins so.
    Word,
    Within,
}

/// The candidates that fit, the better ones first; of those that fit alike, the ones that rules use most.
pub(super) fn ranked(candidates: Vec<Candidate>, written: &str, replaces: Span) -> Vec<Completion> {
    let mut told: HashSet<(String, CompletionKind)> = HashSet::new();
    let mut fitting: Vec<(Fit, Candidate)> = candidates
        .into_iter()
        .filter_map(|candidate| Some((fit(&candidate.label, written)?, candidate)))
        .filter(|(_, candidate)| told.insert((candidate.label.clone(), candidate.kind)))
        .collect();
    fitting.sort_by_key(|(fit, candidate)| (*fit, candidate.rank, place(&candidate.label, candidate.kind)));
    fitting.truncate(MOST);
    let completion = |(_, candidate): (Fit, Candidate)| {
        let Candidate { label, kind, insert, detail, .. } = candidate;
        Completion { label, kind, insert, detail, replaces }
    };
    fitting.into_iter().map(completion).collect()
}

fn fit(label: &str, written: &str) -> Option<Fit> {
    if label.starts_with(written) {
        return Some(Fit::Begins);
    }
    let (label_lower, written) = (label.to_lowercase(), written.to_lowercase());
    let at = label_lower.find(&written)?;
    Some(match at {
        0 => Fit::BeginsInAnyCase,
        _ if begins_word(label, at) => Fit::Word,
        _ => Fit::Within,
    })
}

/// Whether a word of a name begins there: behind `_` or `-`, or with a capital letter.
fn begins_word(label: &str, at: usize) -> bool {
    let before = label.get(..at).and_then(|before| before.chars().next_back());
    let first = label.get(at..).and_then(|rest| rest.chars().next());
    matches!(before, Some('_' | '-')) || first.is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_so_come_before_names_that_hold_it() {
        let fits = ["Ip", "IPAddress", "ClientIP", "strip"].map(|label| fit(label, "Ip"));
        assert_eq!(fits, [Some(Fit::Begins), Some(Fit::BeginsInAnyCase), Some(Fit::Word), Some(Fit::Within)]);
        assert_eq!(fit("User", "Ip"), None);
        assert_eq!(fit("User", ""), Some(Fit::Begins));
    }
}
