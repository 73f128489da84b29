//! The inside of a `dynamic(…)` literal in a query.
use super::{MAX_DEPTH, Writer};
use crate::types::{datetime, guid, number, timespan};

/// The byte where a literal is wrong, and what is wrong there.
type Wrong = (usize, String);

/// The dynamic value that stands between the parentheses of `dynamic(…)`.
///
/// Beyond JSON a literal may hold strings in every spelling of KQL, numbers in hexadecimal, comments, and the
/// literals of other kinds: `datetime(2020-01-01)`, `1d`, `guid(…)`, `dynamic(…)`.
///
/// Source: the documentation page "The dynamic data type", and what Microsoft's parser takes.
pub fn literal(text: &str) -> Result<String, (usize, String)> {
    let mut reader = Reader { text, at: 0, writer: Writer::with_capacity(text.len()) };
    reader.value(0)?;
    reader.skip();
    if reader.at < text.len() {
        return Err(reader.wrong("expected the end of the dynamic literal"));
    }
    Ok(reader.writer.finish())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    writer: Writer,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, message: impl Into<String>) -> Wrong {
        (self.at, message.into())
    }

    /// Passes blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let after = rest.trim_start();
            self.at += rest.len() - after.len();
            if !after.starts_with("//") {
                return;
            }
            self.at += after.find('\n').unwrap_or(after.len());
        }
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Result<(), Wrong> {
        self.skip();
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("a dynamic literal nests at most {MAX_DEPTH} deep")));
        }
        if self.starts_string() {
            let text = self.strings()?;
            self.writer.string(&text);
            return Ok(());
        }
        match self.rest().bytes().next() {
            Some(b'[') => self.array(depth),
            Some(b'{') => self.bag(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() => self.named(depth),
            _ => Err(self.wrong("expected a value of a dynamic literal")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        self.writer.begin_array();
        self.skip();
        if !self.take("]") {
            self.value(depth + 1)?;
            while self.more("]")? {
                self.value(depth + 1)?;
            }
        }
        self.writer.end_array();
        Ok(())
    }

    fn bag(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        self.writer.begin_bag();
        self.skip();
        if !self.take("}") {
            self.property(depth)?;
            while self.more("}")? {
                self.property(depth)?;
            }
        }
        self.writer.end_bag();
        Ok(())
    }

    fn property(&mut self, depth: usize) -> Result<(), Wrong> {
        self.skip();
        if !self.starts_string() {
            return Err(self.wrong("expected a property's name in quotes"));
        }
        let name = self.strings()?;
        self.skip();
        if !self.take(":") {
            return Err(self.wrong("expected `:` after a property's name"));
        }
        self.writer.key(&name);
        self.value(depth + 1)
    }

    /// Whether a comma stands here, and not the closing bracket.
    fn more(&mut self, closing: &str) -> Result<bool, Wrong> {
        self.skip();
        if self.take(closing) {
            return Ok(false);
        }
        if self.take(",") { Ok(true) } else { Err(self.wrong(format!("expected `,` or `{closing}`"))) }
    }

    fn starts_string(&self) -> bool {
        let rest = self.rest();
        let rest = rest.strip_prefix(['h', 'H']).unwrap_or(rest);
        rest.strip_prefix('@').unwrap_or(rest).starts_with(['"', '\''])
            || rest.starts_with("```")
            || rest.starts_with("~~~")
    }

    /// One string, or several that stand in a row and are one.
    fn strings(&mut self) -> Result<String, Wrong> {
        let mut text = self.string()?;
        self.skip();
        while self.starts_string() {
            text.push_str(&self.string()?);
            self.skip();
        }
        Ok(text)
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        let unclosed = || (start, "a string is not closed".to_owned());
        let _ = self.take("h") || self.take("H");
        for fence in ["```", "~~~"] {
            if self.take(fence) {
                let (inside, _) = self.rest().split_once(fence).ok_or_else(unclosed)?;
                self.at += inside.len() + fence.len();
                return Ok(inside.to_owned());
            }
        }
        let verbatim = self.take("@");
        let quote = self.rest().chars().next().ok_or_else(unclosed)?;
        self.at += quote.len_utf8();
        let mut out = String::new();
        loop {
            let character = self.rest().chars().next().ok_or_else(unclosed)?;
            self.at += character.len_utf8();
            match character {
                '\\' if !verbatim => out.push(self.escape()?),
                end if end == quote => {
                    // Within a verbatim string a doubled quote is one.
                    if !(verbatim && self.rest().starts_with(quote)) {
                        return Ok(out);
                    }
                    self.at += quote.len_utf8();
                    out.push(quote);
                }
                other => out.push(other),
            }
        }
    }

    /// The character of an escape whose backslash has passed.
    fn escape(&mut self) -> Result<char, Wrong> {
        let start = self.at.saturating_sub(1);
        let letter = self.rest().chars().next().unwrap_or(' ');
        self.at += letter.len_utf8();
        let character = match letter {
            '\\' | '\'' | '"' => Some(letter),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'v' => Some('\u{b}'),
            '0'..='7' => {
                self.at = start + 1;
                self.octal()
            }
            'x' => self.code_point(2),
            'u' => self.utf16(),
            'U' => self.code_point(8),
            _ => None,
        };
        character.ok_or_else(|| (start, "unknown escape in a string".to_owned()))
    }

    /// Up to three digits.
    fn octal(&mut self) -> Option<char> {
        let rest = self.rest();
        let length = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        self.at += length;
        u8::from_str_radix(rest.get(..length)?, 8).ok().map(char::from)
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let (code, _) = self.rest().split_at_checked(digits)?;
        if !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += digits;
        u32::from_str_radix(code, 16).ok()
    }

    fn code_point(&mut self, digits: usize) -> Option<char> {
        self.hexadecimal(digits).and_then(char::from_u32)
    }

    /// Four digits, or twice four for a pair of surrogates.
    fn utf16(&mut self) -> Option<char> {
        let first = self.hexadecimal(4)?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.take("\\u") {
            return None;
        }
        let second = self.hexadecimal(4).filter(|second| (0xDC00..0xE000).contains(second))?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    }

    /// A number, a hexadecimal one, or a timespan such as `1d`.
    fn number(&mut self) -> Result<(), Wrong> {
        let rest = self.rest();
        let inside = |(place, byte): &(usize, u8)| {
            let signed = matches!(byte, b'+' | b'-') && (*place == 0 || rest.as_bytes().get(place - 1) == Some(&b'e'));
            byte.is_ascii_alphanumeric() || *byte == b'.' || signed
        };
        let length = rest.bytes().enumerate().take_while(inside).count();
        let word = rest.get(..length).unwrap_or_default();
        // `-real(1)` and its like.
        if word.get(1..).is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
            && word.starts_with('-')
        {
            return self.negative_literal();
        }
        self.write_number(word)?;
        self.at += length;
        Ok(())
    }

    fn write_number(&mut self, word: &str) -> Result<(), Wrong> {
        let digits = word.strip_prefix('-').unwrap_or(word);
        if digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with("0x") || digits.starts_with("0X") {
            let long = number::parse_long(word).ok_or_else(|| self.wrong("a number is too great for a long"))?;
            self.writer.long(long);
        } else if let Some(real) = word.parse::<f64>().ok().filter(|real| real.is_finite()) {
            // A number keeps its spelling where that is JSON.
            let kept = serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok();
            if kept {
                self.writer.raw(word)
            } else {
                self.writer.real(real)
            };
        } else {
            let ticks = timespan::parse(word).filter(|_| !word.starts_with('-'));
            self.writer.timespan(ticks.ok_or_else(|| self.wrong("expected a number or a timespan"))?);
        }
        Ok(())
    }

    /// The minus before `real(…)`, `long(…)` or `int(…)`.
    fn negative_literal(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        let (name, inside) = self.call()?;
        let real = match name.as_str() {
            "real" | "double" => number::parse_real(inside),
            "long" | "int" => {
                let long = number::parse_long(inside).and_then(i64::checked_neg);
                self.writer.long(long.ok_or_else(|| self.wrong("expected a whole number"))?);
                return Ok(());
            }
            _ => None,
        };
        self.writer.real(-real.ok_or_else(|| self.wrong("expected a number"))?);
        Ok(())
    }

    /// `true`, `false`, `null`, or a literal of a kind.
    fn named(&mut self, depth: usize) -> Result<(), Wrong> {
        let rest = self.rest();
        let word = rest.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        let constant = match word.to_ascii_lowercase().as_str() {
            "true" => "true",
            "false" => "false",
            "null" => "null",
            "dynamic" => return self.nested(depth),
            _ => return self.kind_literal(),
        };
        self.at += word.len();
        self.writer.raw(constant);
        Ok(())
    }

    fn nested(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += "dynamic".len();
        self.skip();
        if !self.take("(") {
            return Err(self.wrong("expected `(` after `dynamic`"));
        }
        self.value(depth + 1)?;
        self.skip();
        if self.take(")") { Ok(()) } else { Err(self.wrong("expected `)`")) }
    }

    /// The name before parentheses and what stands in them, without quotes around it.
    fn call(&mut self) -> Result<(String, &'a str), Wrong> {
        let (start, rest) = (self.at, self.rest());
        let known =
            rest.split_once('(').filter(|(name, _)| name.trim_ascii_end().bytes().all(|b| b.is_ascii_alphanumeric()));
        let Some((name, after)) = known else { return Err(self.wrong("expected a value of a dynamic literal")) };
        let (inside, _) = after.split_once(')').ok_or_else(|| (start, "expected `)`".to_owned()))?;
        self.at += name.len() + inside.len() + 2;
        let inside = inside.trim_ascii();
        let unquoted = ['"', '\''].iter().find_map(|quote| inside.strip_prefix(*quote)?.strip_suffix(*quote));
        Ok((name.trim_ascii_end().to_ascii_lowercase(), unquoted.unwrap_or(inside)))
    }

    fn kind_literal(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        let (name, inside) = self.call()?;
        let writer = &mut self.writer;
        let written = match name.as_str() {
            _ if inside == "null" => Some(writer.null()),
            "datetime" | "date" => datetime::parse(inside).map(|ticks| writer.datetime(ticks)),
            "timespan" | "time" => timespan::parse(inside).map(|ticks| writer.timespan(ticks)),
            "guid" | "uuid" | "uniqueid" => guid::parse(inside).map(|guid| writer.raw(&format!("guid({guid})"))),
            "long" | "int" => number::parse_long(inside).map(|long| writer.long(long)),
            "real" | "double" => number::parse_real(inside).map(|real| writer.real(real)),
            "bool" | "boolean" => inside.to_ascii_lowercase().parse().ok().map(|value| writer.bool(value)),
            "decimal" => return Err((start, "decimal values are not supported in dynamic values".to_owned())),
            _ => return Err((start, format!("`{name}` is no kind of value that a dynamic holds"))),
        };
        written.map(|_| ()).ok_or_else(|| (start, format!("`{inside}` is no {name}")))
    }
}
