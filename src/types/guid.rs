//! Guids, kept as their canonical text.

/// The canonical text of a guid: 32 lower-case hexadecimal digits with dashes after 8, 12, 16 and 20.
///
/// Read are any case, no dashes at all, and braces or parentheses around it; `None` for other text.
///
/// Source: the documentation page "The guid data type".
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    let inside = match text.as_bytes() {
        [b'{', .., b'}'] | [b'(', .., b')'] => text.get(1..text.len() - 1)?,
        _ => text,
    };
    let dashed = match inside.len() {
        36 => true,
        32 => false,
        _ => return None,
    };
    let mut canonical = String::with_capacity(36);
    for (place, byte) in inside.bytes().enumerate() {
        let dash = if dashed { matches!(place, 8 | 13 | 18 | 23) } else { false };
        if dash != (byte == b'-') || !(dash || byte.is_ascii_hexdigit()) {
            return None;
        }
        if !dashed && matches!(place, 8 | 12 | 16 | 20) {
            canonical.push('-');
        }
        canonical.push(char::from(byte.to_ascii_lowercase()));
    }
    Some(canonical)
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
        ];
        for spelling in spellings {
            assert_eq!(parse(spelling).as_deref(), Some(canonical), "{spelling}");
        }
    }

    #[test]
    fn other_texts_are_null() {
        let wrong = ["", "{}", "x", "74be27de-1e4e-49d9-b579-fe0b331d364", "74be27de-1e4e-49d9-b579-fe0b331d364g"];
        for text in wrong {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("74be27de11e4e249d93b5794fe0b331d3642"), None);
        assert_eq!(parse("{74be27de-1e4e-49d9-b579-fe0b331d3642)"), None);
        assert_eq!(parse("--------------------------------"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, like in "[{(]?[0-9a-fA-Fé-]{30,38}[)}]?") {
            let _ = (parse(&text), parse(&like));
        }
    }
}
