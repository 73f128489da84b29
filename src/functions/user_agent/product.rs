//! A name with its version, and where texts say them.
use std::borrow::Cow;

/// A browser or a system. Parts of the version that are missing are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Product<'a> {
    pub family: Cow<'a, str>,
    pub version: [&'a str; 4],
}

impl<'a> Product<'a> {
    pub const OTHER: Product<'static> = Product { family: Cow::Borrowed("Other"), version: [""; 4] };

    pub fn new(family: &'a str, version: [&'a str; 4]) -> Product<'a> {
        Product { family: family.into(), version }
    }

    /// With the first parts of a version alone.
    pub fn parts(self, most: usize) -> Product<'a> {
        let mut version = self.version;
        version.iter_mut().skip(most).for_each(|part| *part = "");
        Product { version, ..self }
    }
}

/// What stands after the first place of a mark.
pub fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.find(mark).and_then(|at| text.get(at + mark.len()..))
}

/// Whether all marks stand in the text, one behind the other.
pub fn in_turn(text: &str, marks: &[&str]) -> bool {
    marks.iter().try_fold(text, |rest, mark| after(rest, mark)).is_some()
}

/// The version that a text begins with, up to four numbers; a sign or blank may stand before it.
pub fn version(text: &str) -> [&str; 4] {
    let text = text.strip_prefix(['/', ' ', ':', '-', '@']).unwrap_or(text);
    let mut rest = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let mut parts = [""; 4];
    for part in &mut parts {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        *part = number;
        match behind.strip_prefix(['.', '_']) {
            Some(next) if !number.is_empty() => rest = next,
            _ => break,
        }
    }
    parts
}

/// Whether a version begins with a number.
pub fn is_version(version: &[&str; 4]) -> bool {
    version.first().is_some_and(|major| !major.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version("/1.2.3.4.5 x"), ["1", "2", "3", "4"]);
        assert_eq!(version(" 14_6 like"), ["14", "6", "", ""]);
        assert_eq!(version("/v3.x"), ["3", "", "", ""]);
        assert_eq!(version("x"), [""; 4]);
    }
}
