//! Guids, kept as their canonical text.

/// The canonical text of a guid: 32 lower-case hexadecimal digits with dashes after 8, 12, 16 and 20.
///
/// Read are any case, any of the dashes left out, and a brace or parenthesis before it; what follows the last digit is
/// passed over. `None` for other text.
///
/// Source: the documentation pages "The guid data type" and "toguid()".
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    let inside = text.strip_prefix(['{', '(']).unwrap_or(text);
    let mut canonical = String::with_capacity(36);
    let (mut digits, mut dashed) = (0, false);
    for byte in inside.bytes() {
        let part_begins = matches!(digits, 8 | 12 | 16 | 20);
        match byte {
            b'-' if part_begins && !dashed => dashed = true,
            digit if digit.is_ascii_hexdigit() => {
                if part_begins {
                    canonical.push('-');
                }
                canonical.push(char::from(digit.to_ascii_lowercase()));
                (digits, dashed) = (digits + 1, false);
            }
            _ => return None,
        }
        if digits == 32 {
            return Some(canonical);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling() {
        let canonical = "74be27de-1e4e-49d9-b579-fe0b331d3642";
        let spellings = [
            canonical,
            " 74BE27DE-1E4E-49D9-B579-FE0B331D3642 ",
            "{74be27de-1e4e-49d9-b579-fe0b331d3642}",
            "(74be27de-1e4e-49d9-b579-fe0b331d3642)",
            "74be27de1e4e49d9b579fe0b331d3642",
            "74be27de1e4e-49d9-b579-fe0b331d3642",
            "74be27de-1e4e-49d9-b579-fe0b331d3642, and more",
        ];
        for spelling in spellings {
            assert_eq!(parse(spelling).as_deref(), Some(canonical), "{spelling}");
        }
    }

    #[test]
    fn other_texts_are_null() {
        let wrong = ["", "{}", "x", "74be27de-1e4e-49d9-b579-fe0b331d364", "74be27de--1e4e-49d9-b579-fe0b331d3642"];
        for text in wrong {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("--------------------------------"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, like in "[{(]?[0-9a-fA-Fé-]{30,38}[)}]?") {
            let _ = (parse(&text), parse(&like));
        }
    }
}
