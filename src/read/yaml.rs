//! Quoted texts of YAML whose further lines stand at the margin: other readers take them, so they are taken here.
//!
//! The standard wants such lines indented deeper than their key. As space at a line's beginning is no part of a
//! quoted text, indenting them changes nothing.

/// Lines that may be indented for one text.
const MOST_LINES: usize = 200;
/// Bytes of a text that is read again for each such line.
const SIZE_LIMIT: usize = 1 << 20;

/// What a parser found wrong.
pub struct Wrong<E> {
    pub error: E,
    /// The line (from 1) of a quoted text that should be indented.
    pub unindented: Option<usize>,
}

/// Where spaces were put into a text: bytes of the text with them.
#[derive(Clone, Debug, Default)]
pub struct Indented(Vec<usize>);

impl Indented {
    /// The byte of the original text.
    pub fn original(&self, at: usize) -> usize {
        at - self.0.partition_point(|added| *added < at)
    }
}

/// Parses a text, with spaces before the lines of quoted texts that need some.
pub fn parse<T, E>(text: &str, parse: impl Fn(&str, &Indented) -> Result<T, Wrong<E>>) -> Result<T, E> {
    let mut found = parse(text, &Indented::default());
    let (mut mended, mut indented) = (text.to_owned(), Indented::default());
    for _ in 0..MOST_LINES {
        let line = match &found {
            Err(Wrong { unindented: Some(line), .. }) if text.len() <= SIZE_LIMIT => *line,
            _ => break,
        };
        let start = mended.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
        mended.insert(start, ' ');
        indented.0.iter_mut().filter(|added| **added >= start).for_each(|added| *added += 1);
        indented.0.push(start);
        indented.0.sort_unstable();
        found = parse(&mended, &indented);
    }
    found.map_err(|wrong| wrong.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_original_text() {
        let needs = |text: &str, indented: &Indented| match text.lines().position(|line| line.starts_with('b')) {
            Some(line) => Err(Wrong { error: "b", unindented: Some(line + 1) }),
            None => Ok(text.match_indices('b').map(|(at, _)| indented.original(at)).collect::<Vec<_>>()),
        };
        assert_eq!(parse("a\nbx\nc b\nb", needs), Ok(vec![2, 7, 9]));
        let never = |_: &str, _: &Indented| Err::<(), _>(Wrong { error: "x", unindented: Some(1) });
        assert_eq!(parse("a", never), Err("x"));
    }
}
