//! The value at the end of a path into a text that may be JSON, found in the same pass that tells whether it is.
use super::form::{After, Form, Walk};
use super::quick::{Passed, pass};
use super::{Json, JsonKind, PathStep, is_key, parse_json, path};
use std::borrow::Cow;

/// What `path` finds in what `parse_json` makes of a text.
pub fn parsed_path<'a>(text: &'a str, steps: &[PathStep]) -> Option<Cow<'a, str>> {
    let json = text.trim_ascii();
    let from_start = !steps.is_empty() && !steps.iter().any(|step| matches!(step, PathStep::Index(..0)));
    if from_start {
        if let Some(place) = quickly(json, steps) {
            return place.filter(|found| found.kind() != JsonKind::Null).map(|found| Cow::Borrowed(found.text()));
        }
        match Seeker::new(json, steps).found()? {
            None => return None,
            Some(Place { start, end, rewritten: false }) => {
                let found = Json(json.get(start..end)?);
                return (found.kind() != JsonKind::Null).then_some(Cow::Borrowed(found.text()));
            }
            Some(_) => {}
        }
    }
    let parsed = parse_json(text)?;
    path(&parsed, steps).map(|found| Cow::Owned(found.text().to_owned()))
}

/// What a pass from mark to mark finds; nothing known where it does not tell, and where the value has blanks to drop.
fn quickly<'a>(json: &'a str, steps: &[PathStep]) -> Option<Option<Json<'a>>> {
    let Passed { spaces, place } = pass(json, steps)?;
    let Some((start, end)) = place else { return Some(None) };
    let found = Json(json.get(start..end)?);
    let whole = spaces && matches!(found.kind(), JsonKind::Array | JsonKind::Object);
    (!whole).then_some(Some(found))
}

/// Where a value stands, and whether `parse_json` would write it otherwise.
struct Place {
    start: usize,
    end: usize,
    rewritten: bool,
}

/// A value that is being read to its end: its start, the depth that it stands at, and the form of what was before.
struct Open {
    start: usize,
    depth: usize,
    before: Form,
}

struct Seeker<'a> {
    text: &'a str,
    walk: Walk<'a>,
    steps: &'a [PathStep],
    /// How many steps have led to the value that is being read. Each leads one array or bag deeper.
    taken: usize,
    /// The number of the next element, of the array that the next step leads into.
    element: i64,
    /// Whether the path has ended: its value is found, or there is none.
    ended: bool,
    open: Option<Open>,
    place: Option<Place>,
}

impl<'a> Seeker<'a> {
    fn new(text: &'a str, steps: &'a [PathStep]) -> Seeker<'a> {
        Seeker {
            text,
            walk: Walk::new(text.as_bytes()),
            steps,
            taken: 0,
            element: 0,
            ended: false,
            open: None,
            place: None,
        }
    }

    /// The place of the value; none at all where the text is no JSON.
    fn found(mut self) -> Option<Option<Place>> {
        let mut on_path = true;
        loop {
            self.value(on_path)?;
            match self.next()? {
                Some(follows) => on_path = follows,
                None => return Some(self.place),
            }
        }
    }

    /// Passes a scalar, an empty array or bag, or the opening of others down to their first scalar.
    fn value(&mut self, mut on_path: bool) -> Option<()> {
        loop {
            self.walk.skip();
            if on_path && self.taken == self.steps.len() {
                let before = std::mem::take(&mut self.walk.form);
                self.open = Some(Open { start: self.walk.at, depth: self.walk.depth, before });
            }
            let first = self.walk.byte()?;
            self.walk.at += 1;
            if !matches!(first, b'{' | b'[') {
                self.walk.scalar(first)?;
                if on_path {
                    self.end(false);
                }
                return Some(());
            }
            let bag = first == b'{';
            if self.walk.open(bag)? {
                return Some(());
            }
            if on_path {
                self.element = 0;
            }
            on_path = self.step(bag)?;
        }
    }

    /// Passes closing brackets and a comma: whether the value that follows is on the path; none at the end.
    fn next(&mut self) -> Option<Option<bool>> {
        loop {
            match self.walk.after_value()? {
                After::End => return Some(None),
                After::Closed => {
                    let reached = self.open.as_ref().map_or(self.taken, |open| open.depth);
                    if !self.ended && self.walk.depth == reached {
                        self.end(true);
                    }
                }
                After::Comma { bag } => {
                    if bag {
                        self.walk.skip();
                    }
                    return self.step(bag).map(Some);
                }
            }
        }
    }

    /// The value on the path has been read, which the path's end may be.
    fn end(&mut self, container: bool) {
        self.ended = true;
        if let Some(Open { start, before, .. }) = self.open.take() {
            let own = self.walk.form;
            let rewritten = own.escapes || (container && own.blanks);
            self.place = Some(Place { start, end: self.walk.at, rewritten });
            self.walk.form = Form { blanks: own.blanks | before.blanks, escapes: own.escapes | before.escapes };
        }
    }

    /// Passes the key of a property: whether the property, or the element, that follows is the next step.
    fn step(&mut self, bag: bool) -> Option<bool> {
        let key = if bag { Some(self.walk.key()?) } else { None };
        if self.ended || self.open.is_some() || self.walk.depth != self.taken + 1 {
            return Some(false);
        }
        let is_it = match (self.steps.get(self.taken), key) {
            (Some(PathStep::Key(wanted)), Some((start, end))) => is_key(self.text.get(start..end)?, wanted),
            (Some(PathStep::Index(wanted)), None) => {
                self.element += 1;
                self.element - 1 == *wanted
            }
            _ => false,
        };
        self.taken += usize::from(is_it);
        Some(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(text: &str, steps: &[PathStep]) -> (Option<String>, Option<String>) {
        let slow = parse_json(text).and_then(|parsed| path(&parsed, steps).map(|found| found.text().to_owned()));
        (parsed_path(text, steps).map(Cow::into_owned), slow)
    }

    fn key(name: &str) -> PathStep {
        PathStep::Key(name.into())
    }

    #[test]
    fn the_path_of_a_parsed_text() {
        let text = r#" {"a": 5, "c": {"b": [1, {"d": "x\n"}]}, "c": {"b": 2}, "e": {"b": {}}, "n": null} "#;
        let paths: [(&[PathStep], Option<&str>); 9] = [
            (&[key("a")], Some("5")),
            (&[key("a"), key("b")], None),
            (&[key("c"), key("b")], Some(r#"[1,{"d":"x\n"}]"#)),
            (&[key("c"), key("b"), PathStep::Index(1), key("d")], Some(r#""x\n""#)),
            (&[key("c"), key("b"), PathStep::Index(-1)], Some(r#"{"d":"x\n"}"#)),
            (&[key("c"), key("b"), PathStep::Index(2)], None),
            (&[key("e"), key("b")], Some("{}")),
            (&[key("n")], None),
            (&[PathStep::Index(0)], None),
        ];
        for (steps, expected) in paths {
            let (quick, slow) = both(text, steps);
            assert_eq!((quick.as_deref(), slow.as_deref()), (expected, expected), "{steps:?}");
        }
        assert_eq!(parsed_path(r#"{"a":1"#, &[key("a")]), None);
        assert_eq!(parsed_path(r#"{"\u0061":1}"#, &[key("a")]).as_deref(), Some("1"));
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_two_find(
            text in r#"\{("[abc\\]{1,2}": ?(-?[0-9]{1,2}|"[a\\/n]{0,3}"|null|\[([0-9], ?)?[0-9]?\]|\{"[abc]": ?[0-9]\}|\[\{"a":[0-9]\},\[[0-9]\]\]), ?){0,3}"a":[0-9]\}"#,
            steps in proptest::collection::vec((any::<bool>(), 0..3i64), 0..4),
        ) {
            let step = |(named, number): &(bool, i64)| match named {
                true => key(["a", "b", "c"][*number as usize]),
                false => PathStep::Index(*number - 1),
            };
            let steps: Vec<PathStep> = steps.iter().map(step).collect();
            let (quick, slow) = both(&text, &steps);
            prop_assert_eq!(quick, slow, "{} {:?}", text, steps);
        }
    }
}
