//! Windows command lines, as CommandLineToArgvW takes them apart.

/// Hands over the arguments one by one; false for a line without any.
pub fn arguments(line: &str, take: &mut dyn FnMut(&str)) -> bool {
    if line.trim_matches([' ', '\t']).is_empty() {
        return false;
    }
    let (program, mut rest) = program(line);
    take(program);
    let mut argument = String::new();
    loop {
        let blanks = rest.bytes().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        rest = rest.get(blanks..).unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
        // Without a quote everything stands for itself.
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'"')).unwrap_or(rest.len());
        if rest.as_bytes().get(end) != Some(&b'"') {
            let (plain, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            take(plain);
            rest = behind;
            continue;
        }
        argument.clear();
        rest = next(rest, &mut argument);
        take(&argument);
    }
}

/// The program's name: up to the closing quote or the first blank, backslashes without meaning.
fn program(line: &str) -> (&str, &str) {
    if let Some(quoted) = line.strip_prefix('"') {
        return quoted.split_once('"').unwrap_or((quoted, ""));
    }
    let end = line.find([' ', '\t']).unwrap_or(line.len());
    line.split_at_checked(end).unwrap_or((line, ""))
}

/// Reads one argument and gives what follows it.
fn next<'a>(text: &'a str, out: &mut String) -> &'a str {
    let mut rest = text;
    let mut quoted = false;
    while let Some(character) = rest.chars().next() {
        match character {
            ' ' | '\t' if !quoted => break,
            '\\' => {
                rest = backslashes(rest, out);
                continue;
            }
            // Two quotes inside of quotes are one, and end the quoted part.
            '"' if quoted && rest.starts_with("\"\"") => {
                out.push('"');
                quoted = false;
                rest = rest.get(2..).unwrap_or_default();
                continue;
            }
            '"' => quoted = !quoted,
            other => out.push(other),
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    rest
}

/// Before a quote two backslashes are one, and an odd one escapes the quote; elsewhere they are themselves.
fn backslashes<'a>(text: &'a str, out: &mut String) -> &'a str {
    let behind = text.trim_start_matches('\\');
    let count = text.len() - behind.len();
    let Some(after) = behind.strip_prefix('"') else {
        out.extend(std::iter::repeat_n('\\', count));
        return behind;
    };
    out.extend(std::iter::repeat_n('\\', count / 2));
    if count.is_multiple_of(2) {
        return behind;
    }
    out.push('"');
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes() {
        let arguments = |line: &str| {
            let mut found = Vec::new();
            arguments(line, &mut |argument| found.push(argument.to_owned())).then_some(found)
        };
        let cases = [
            (r#"echo "hello world!""#, &["echo", "hello world!"][..]),
            (r#""C:\Program Files\x.exe" /a  b\c"#, &[r"C:\Program Files\x.exe", "/a", r"b\c"]),
            (r#"x "a\"b" a\\"b c" d\\\"e"#, &["x", r#"a"b"#, r"a\b c", r#"d\"e"#]),
            (r#"x "" "open end"#, &["x", "", "open end"]),
            (r"x \\a\b\ c\", &["x", r"\\a\b\", r"c\"]),
        ];
        for (line, expected) in cases {
            assert_eq!(arguments(line).unwrap(), expected, "{line}");
        }
        assert_eq!(arguments("  "), None);
    }
}
