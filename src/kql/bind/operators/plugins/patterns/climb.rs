//! Patterns that no pattern beside them surpasses: those beside one set one value more, or one less.
use super::encoded::{Encoded, Pattern, Weight, dimensions};
use crate::diagnostic::Result;
use crate::functions::Context;

/// What is looked for.
pub struct Goal<'g> {
    /// How good a pattern is, by its weight and the number of values it sets.
    pub score: &'g dyn Fn(Weight, usize) -> f64,
    /// A pattern sets at least so many values, and at most so many.
    pub least: usize,
    pub most: usize,
}

/// A way up cannot be longer than this; each step is better than the one before.
const STEPS: usize = 10_000;

/// The best pattern that is reached from one value, step by step.
pub fn climb(encoded: &Encoded, start: (usize, u32), goal: &Goal, context: &Context) -> Result<Pattern> {
    let mut pattern: Pattern = vec![None; encoded.columns()];
    if let Some(place) = pattern.get_mut(start.0) {
        *place = Some(start.1);
    }
    for _ in 0..STEPS {
        context.check()?;
        let rows = encoded.matching(&pattern);
        let own = dimensions(&pattern);
        let mut best = (goal.score)(encoded.weight(&rows), own);
        let mut next = None;
        // Below the least number of values, the best further one is taken in any case.
        if own < goal.least {
            best = f64::NEG_INFINITY;
        }
        if own < goal.most {
            for column in encoded.open.iter().copied().filter(|at| pattern.get(*at).copied().flatten().is_none()) {
                for (code, weight) in encoded.items(&rows, column) {
                    let score = (goal.score)(weight, own + 1);
                    if score > best {
                        (best, next) = (score, Some((column, Some(code))));
                    }
                }
            }
        }
        if own > goal.least.max(1) {
            for column in (0..pattern.len()).filter(|at| pattern.get(*at).copied().flatten().is_some()) {
                let mut wider = pattern.clone();
                wider[column] = None;
                let score = (goal.score)(encoded.weight(&encoded.matching(&wider)), own - 1);
                if score > best {
                    (best, next) = (score, Some((column, None)));
                }
            }
        }
        let Some((column, code)) = next else { break };
        pattern[column] = code;
    }
    Ok(pattern)
}
