//! Names of fields with `*` in them.

/// Whether a name has a wildcard.
pub fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// What each `*` of the pattern stands for in a name that it matches, the shortest first.
pub fn captures<'a>(pattern: &str, name: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let mut rest = name.strip_prefix(first)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty().then_some(found);
    }
    while let Some(part) = parts.next() {
        // The last part must end the name; others take the first place that fits.
        let at = if parts.peek().is_none() {
            rest.len().checked_sub(part.len()).filter(|at| rest.get(*at..) == Some(part))?
        } else {
            rest.find(part)?
        };
        found.push(rest.get(..at)?);
        rest = rest.get(at + part.len()..)?;
    }
    Some(found)
}

/// Whether a name fits a pattern. Names that begin with `_` are internal: only a pattern that begins so takes them.
pub fn matches(pattern: &str, name: &str) -> bool {
    if !is_pattern(pattern) {
        return pattern == name;
    }
    (!name.starts_with('_') || pattern.starts_with('_')) && captures(pattern, name).is_some()
}

/// A pattern with its `*` filled in.
pub fn filled(pattern: &str, captures: &[&str]) -> String {
    let mut out = String::new();
    for (at, part) in pattern.split('*').enumerate() {
        if let Some(captured) = at.checked_sub(1).and_then(|at| captures.get(at)) {
            out.push_str(captured);
        }
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_and_are_filled() {
        assert_eq!(captures("Processes.*", "Processes.user"), Some(vec!["user"]));
        assert_eq!(captures("a*b*", "axxbyy"), Some(vec!["xx", "yy"]));
        assert_eq!(captures("a*a", "a"), None);
        assert_eq!(captures("abc", "abc"), Some(vec![]));
        assert_eq!(filled("x_*_y", &["1"]), "x_1_y");
        assert!(matches("*", "a") && !matches("*", "_time") && matches("_*", "_time"));
    }
}
