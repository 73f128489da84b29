//! The text forms of datetimes.
use super::{TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, checked, from_civil};

/// No form is longer; the rest of a long text is not worth reading.
const LONGEST: usize = 96;

/// The datetime that a text states, in UTC.
///
/// Read are ISO 8601, the forms of RFC 822 and RFC 850, and dates in the American order; more than seven digits of
/// a second's fraction are cut, offsets are taken off. `None` for anything else.
///
/// Source: the documentation page "The datetime data type".
pub fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    iso(bytes).or_else(|| any(bytes.trim_ascii()))
}

/// `YYYY-MM-DDTHH:MM:SS[.fffffff]` in UTC, the form of nearly all logs.
#[inline]
fn iso(bytes: &[u8]) -> Option<i64> {
    let (head, tail) = bytes.split_first_chunk::<19>()?;
    let &[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', mi1, mi2, b':', s1, s2] = head
    else {
        return None;
    };
    let date = pairs([y1, y2, y3, y4, mo1, mo2, d1, d2])?;
    let time = pairs([h1, h2, mi1, mi2, s1, s2, b'0', b'0'])?;
    let pair = |pairs: u64, place: u32| (pairs >> (16 * place)) as u32 & 0xFF;
    let year = pair(date, 0) * 100 + pair(date, 1);
    let fraction = iso_fraction(match tail {
        [fraction @ .., b'Z'] | [fraction @ .., b'+', b'0', b'0', b':', b'0', b'0'] => fraction,
        fraction => fraction,
    })?;
    from_civil(year as i32, pair(date, 2), pair(date, 3), pair(time, 0), pair(time, 1), pair(time, 2), fraction)
}

/// The ticks of nothing, or of `.` and digits; the usual numbers of digits are read all at once.
#[inline]
fn iso_fraction(tail: &[u8]) -> Option<i64> {
    let digits = match *tail {
        [] => return Some(0),
        [b'.', a, b, c] => [a, b, c, b'0', b'0', b'0', b'0', b'0'],
        [b'.', a, b, c, d, e, f] => [a, b, c, d, e, f, b'0', b'0'],
        [b'.', a, b, c, d, e, f, g] => [a, b, c, d, e, f, g, b'0'],
        _ => {
            let (ticks, rest) = fraction(tail);
            return rest.is_empty().then_some(ticks);
        }
    };
    let pairs = pairs(digits)?;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    let value = (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) as u32;
    Some(i64::from(value / 10))
}

/// The four numbers of two digits each that eight digits are, in 16 bits each, the first in the lowest.
#[inline]
fn pairs(digits: [u8; 8]) -> Option<u64> {
    let text = u64::from_le_bytes(digits);
    let values = text.wrapping_sub(0x3030_3030_3030_3030);
    // A byte's highest bit is set in the sum above `9`, in the difference below `0`, and in one of them outside ASCII.
    let sums = text.wrapping_add(0x4646_4646_4646_4646);
    if (sums | values) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    Some((values.wrapping_mul(10).wrapping_add(values >> 8)) & 0x00FF_00FF_00FF_00FF)
}

/// The ticks of an optional `.` and digits, and what follows.
#[inline]
fn fraction(bytes: &[u8]) -> (i64, &[u8]) {
    let Some((b'.', digits)) = bytes.split_first() else { return (0, bytes) };
    let mut ticks = 0;
    let mut unit = TICKS_PER_SECOND / 10;
    let mut rest = digits;
    while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
        ticks += i64::from(digit - b'0') * unit;
        unit /= 10;
        rest = after;
    }
    if rest.len() == digits.len() { (0, bytes) } else { (ticks, rest) }
}

fn any(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > LONGEST {
        return None;
    }
    let mut reader = Reader { rest: bytes };
    let (year, month, day) = reader.date()?;
    let time = if reader.at_end() { 0 } else { reader.time()? };
    let offset = reader.offset()?;
    reader.blanks();
    let midnight = from_civil(year, month, day, 0, 0, 0, 0)?;
    if reader.at_end() { checked(midnight + time - offset) } else { None }
}

/// A number and how many digits it was written with.
#[derive(Clone, Copy)]
struct Number {
    value: u32,
    digits: usize,
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_ascii_start();
        self.rest.len() < before
    }

    fn take(&mut self, accepted: fn(u8) -> bool) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        accepted(first).then(|| {
            self.rest = rest;
            first
        })
    }

    fn number(&mut self) -> Option<Number> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=8).contains(&digits) {
            return None;
        }
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        let value = number.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        Some(Number { value, digits })
    }

    fn word(&mut self) -> Option<String> {
        let letters = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = self.rest.split_at_checked(letters)?;
        self.rest = rest;
        (letters > 0).then(|| String::from_utf8_lossy(word).to_ascii_lowercase())
    }

    /// A separator of a date's parts, with blanks around it or blanks alone.
    fn separator(&mut self) -> Option<u8> {
        let blank = self.blanks();
        let found = self.take(|byte| matches!(byte, b'-' | b'/' | b'.' | b',')).or(blank.then_some(b' '));
        self.blanks();
        found
    }

    fn date(&mut self) -> Option<(i32, u32, u32)> {
        if self.rest.first()?.is_ascii_alphabetic() {
            let word = self.word()?;
            if let Some(month) = month(&word) {
                return self.after_month(month);
            }
            weekday(&word)?;
            self.separator()?;
            if self.rest.first()?.is_ascii_alphabetic() {
                let month = month(&self.word()?)?;
                return self.after_month(month);
            }
        }
        let first = self.number()?;
        match first.digits {
            4 => self.after_year(first.value),
            8 => Some(((first.value / 10_000) as i32, first.value / 100 % 100, first.value % 100)),
            1 | 2 => self.after_day_or_month(first.value),
            _ => None,
        }
    }

    /// `Nov 8, 2014`.
    fn after_month(&mut self, month: u32) -> Option<(i32, u32, u32)> {
        self.separator()?;
        let day = self.number().filter(|day| day.digits <= 2)?.value;
        self.separator()?;
        let year = self.number().filter(|year| year.digits == 4)?.value;
        Some((year as i32, month, day))
    }

    /// `2014`, `2014-11`, `2014-11-08`.
    fn after_year(&mut self, year: u32) -> Option<(i32, u32, u32)> {
        if self.at_end() {
            return Some((year as i32, 1, 1));
        }
        let separator = self.separator().filter(|found| matches!(found, b'-' | b'/' | b'.'))?;
        let month = self.number().filter(|month| month.digits <= 2)?.value;
        if self.at_end() {
            return Some((year as i32, month, 1));
        }
        if self.separator()? != separator {
            return None;
        }
        let day = self.number().filter(|day| day.digits <= 2)?.value;
        Some((year as i32, month, day))
    }

    /// `8 Nov 14`, `08-Nov-14`; otherwise the month comes first: `11/8/2014`.
    fn after_day_or_month(&mut self, first: u32) -> Option<(i32, u32, u32)> {
        let separator = self.separator()?;
        if self.rest.first()?.is_ascii_alphabetic() {
            let month = month(&self.word()?)?;
            self.separator()?;
            return Some((full_year(self.number()?)?, month, first));
        }
        let day = self.number().filter(|day| day.digits <= 2)?.value;
        if separator == b' ' || self.separator()? != separator {
            return None;
        }
        Some((full_year(self.number()?)?, first, day))
    }

    /// The ticks of `T15:05[:02[.5]][ PM]`, or of `T150502` after a date without separators.
    fn time(&mut self) -> Option<i64> {
        let comma = self.take(|byte| byte == b',').is_some();
        let blank = self.blanks();
        let letter = !comma && !blank && self.take(|byte| matches!(byte, b'T' | b't')).is_some();
        if !comma && !blank && !letter {
            return None;
        }
        let hour = self.number()?;
        if letter && hour.digits == 6 {
            return self.clock(hour.value / 10_000, hour.value / 100 % 100, hour.value % 100);
        }
        self.take(|byte| byte == b':')?;
        let minute = self.number().filter(|minute| minute.digits == 2)?;
        let second = match self.take(|byte| byte == b':') {
            Some(_) => self.number().filter(|second| second.digits == 2)?.value,
            None => 0,
        };
        self.clock(hour.value, minute.value, second)
    }

    fn clock(&mut self, hour: u32, minute: u32, second: u32) -> Option<i64> {
        let (fraction, rest) = fraction(self.rest);
        self.rest = rest;
        let hour = self.half_day(hour)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(i64::from(hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND + fraction)
    }

    /// The hour of 24 that an hour of 12 with AM or PM is.
    fn half_day(&mut self, hour: u32) -> Option<u32> {
        let before = self.rest;
        self.blanks();
        match self.word().as_deref() {
            Some("am") if (1..=12).contains(&hour) => Some(hour % 12),
            Some("pm") if (1..=12).contains(&hour) => Some(hour % 12 + 12),
            Some("am" | "pm") => None,
            _ => {
                self.rest = before;
                Some(hour)
            }
        }
    }

    /// The ticks that a zone is ahead of UTC: a name, `+02:00`, `+0200`, `+2`, or nothing.
    fn offset(&mut self) -> Option<i64> {
        self.blanks();
        if self.rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return zone(&self.word()?);
        }
        let Some(sign) = self.take(|byte| matches!(byte, b'+' | b'-')) else { return Some(0) };
        let number = self.number()?;
        let (hours, minutes) = match number.digits {
            1 | 2 if self.take(|byte| byte == b':').is_some() => {
                (number.value, self.number().filter(|minutes| minutes.digits == 2)?.value)
            }
            1 | 2 => (number.value, 0),
            4 => (number.value / 100, number.value % 100),
            _ => return None,
        };
        if hours > 14 || minutes > 59 {
            return None;
        }
        let ticks = i64::from(hours) * TICKS_PER_HOUR + i64::from(minutes) * TICKS_PER_MINUTE;
        Some(if sign == b'-' { -ticks } else { ticks })
    }
}

/// Two digits are a year between 1969 and 2068, as in RFC 822's time.
fn full_year(year: Number) -> Option<i32> {
    let value = year.value as i32;
    match year.digits {
        4 => Some(value),
        2 if value < 69 => Some(2000 + value),
        2 => Some(1900 + value),
        _ => None,
    }
}

fn named(word: &str, names: &[&str]) -> Option<usize> {
    names.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    named(word, &MONTHS).map(|index| index as u32 + 1)
}

fn weekday(word: &str) -> Option<usize> {
    named(word, &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"])
}

/// The zones that RFC 822 names.
fn zone(word: &str) -> Option<i64> {
    let hours = match word {
        "z" | "gmt" | "utc" | "ut" => 0,
        "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        _ => return None,
    };
    Some(hours * TICKS_PER_HOUR)
}
