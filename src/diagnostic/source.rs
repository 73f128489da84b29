//! The text that spans point into, and the way back to the file it came from.

/// A query text with its origin: the file or the name it is shown under, and the line of that file
/// on which each line of the text stands.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub text: String,
    /// A file's path or a name such as `<query>`.
    pub origin: String,
    /// The file's line (from 1) of the text's first line: a YAML block keeps its lines.
    pub first_line: usize,
    /// Columns by which the file indents the text.
    pub indent: usize,
}

impl Source {
    pub fn query(text: impl Into<String>) -> Self {
        Source { text: text.into(), origin: "<query>".into(), first_line: 1, indent: 0 }
    }

    /// Line and column of a byte of the text, both from 1, as the file counts them.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or(&self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count();
        let column = before.rsplit('\n').next().unwrap_or("").chars().count();
        (line + self.first_line.max(1), column + 1 + self.indent)
    }
}
