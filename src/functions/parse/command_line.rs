//! Windows command lines, as CommandLineToArgvW takes them apart.
use crate::types::json;

/// The arguments as a JSON array; none for a line without any.
pub fn arguments(line: &str) -> Option<String> {
    if line.trim_matches([' ', '\t']).is_empty() {
        return None;
    }
    let mut writer = json::Writer::with_capacity(line.len() + 16);
    writer.begin_array();
    let (program, mut rest) = program(line);
    writer.string(program);
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            break;
        }
        let mut argument = String::new();
        rest = next(rest, &mut argument);
        writer.string(&argument);
    }
    writer.end_array();
    Some(writer.finish())
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
        let cases = [
            (r#"echo "hello world!""#, r#"["echo","hello world!"]"#),
            (r#""C:\Program Files\x.exe" /a  b\c"#, r#"["C:\\Program Files\\x.exe","/a","b\\c"]"#),
            (r#"x "a\"b" a\\"b c" d\\\"e"#, r#"["x","a\"b","a\\b c","d\\\"e"]"#),
            (r#"x "" "open end"#, r#"["x","","open end"]"#),
        ];
        for (line, expected) in cases {
            assert_eq!(arguments(line).as_deref(), Some(expected), "{line}");
        }
        assert_eq!(arguments("  "), None);
    }
}
