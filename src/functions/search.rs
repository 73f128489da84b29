//! Looking for texts in texts: the matchers behind `has`, `contains`, `startswith` and their kin.
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, packed};
use memchr::memmem;

/// Where a needle must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    Start,
    End,
    Whole,
    /// A whole term: no letter or digit beside it, where the needle itself ends in one.
    Term,
    TermStart,
    TermEnd,
}

/// One needle, prepared.
#[derive(Debug)]
pub struct Needle {
    text: String,
    place: Place,
    finder: Finder,
}

#[derive(Debug)]
enum Finder {
    Exact(Box<memmem::Finder<'static>>),
    /// An ASCII needle whatever its case.
    AnyCase(AnyCase),
    /// A needle beyond ASCII whatever its case: one-to-one case folding.
    Folded(regex::Regex),
    Empty,
}

impl Needle {
    pub fn new(text: &str, place: Place, case_sensitive: bool) -> Needle {
        let finder = if text.is_empty() {
            Finder::Empty
        } else if case_sensitive {
            Finder::Exact(Box::new(memmem::Finder::new(text.as_bytes()).into_owned()))
        } else if text.is_ascii() {
            AnyCase::new(text).map_or_else(|| folded(text), Finder::AnyCase)
        } else {
            folded(text)
        };
        Needle { text: text.to_owned(), place, finder }
    }

    pub fn is_in(&self, hay: &str) -> bool {
        if matches!(self.finder, Finder::Empty) {
            return self.place != Place::Whole || hay.is_empty();
        }
        match self.place {
            Place::Whole => hay.len() >= self.text.len() && self.equals(hay),
            Place::Start => self.equals_part(hay, 0, self.text.len()),
            Place::End => match hay.len().checked_sub(self.text.len()) {
                Some(start) => self.equals_part(hay, start, hay.len()),
                None => false,
            },
            Place::Anywhere => self.find(hay, 0).is_some(),
            place => self.finds_term(hay, place),
        }
    }

    fn finds_term(&self, hay: &str, place: Place) -> bool {
        let mut from = 0;
        while let Some((start, end)) = self.find(hay, from) {
            if stands_free(hay.as_bytes(), start, end, place) {
                return true;
            }
            from = start + 1;
            while !hay.is_char_boundary(from) {
                from += 1;
            }
        }
        false
    }

    fn find(&self, hay: &str, from: usize) -> Option<(usize, usize)> {
        let rest = hay.get(from..)?;
        let (start, end) = match &self.finder {
            Finder::Exact(finder) => finder.find(rest.as_bytes()).map(|at| (at, at + self.text.len()))?,
            Finder::AnyCase(finder) => finder.find(rest.as_bytes(), self.text.as_bytes())?,
            Finder::Folded(regex) => regex.find(rest).map(|m| (m.start(), m.end()))?,
            Finder::Empty => (0, 0),
        };
        Some((from + start, from + end))
    }

    fn equals(&self, hay: &str) -> bool {
        match &self.finder {
            Finder::Exact(_) => hay == self.text,
            Finder::AnyCase(_) => hay.eq_ignore_ascii_case(&self.text),
            Finder::Folded(regex) => regex.find(hay).is_some_and(|m| m.start() == 0 && m.end() == hay.len()),
            Finder::Empty => hay.is_empty(),
        }
    }

    /// Whether the needle stands at one end of `hay`. A needle beyond ASCII may be longer or shorter
    /// in another case, so its own match decides where it ends.
    fn equals_part(&self, hay: &str, start: usize, end: usize) -> bool {
        let bytes = hay.as_bytes().get(start..end);
        match &self.finder {
            Finder::Exact(_) => bytes == Some(self.text.as_bytes()),
            Finder::AnyCase(_) => bytes.is_some_and(|b| b.eq_ignore_ascii_case(self.text.as_bytes())),
            Finder::Folded(regex) if start == 0 => regex.find(hay).is_some_and(|m| m.start() == 0),
            Finder::Folded(regex) => regex.find_iter(hay).last().is_some_and(|m| m.end() == hay.len()),
            Finder::Empty => true,
        }
    }
}

/// Looks for an ASCII needle in any case: for the spellings of its rarest bytes with vector instructions where
/// the processor has them, else with an automaton.
#[derive(Debug)]
enum AnyCase {
    Packed { searcher: packed::Searcher, offset: usize },
    Automaton(AhoCorasick),
}

impl AnyCase {
    fn new(text: &str) -> Option<AnyCase> {
        let (offset, window) = rarest(text.as_bytes());
        let mut builder = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder();
        builder.extend(spellings(window));
        match builder.build() {
            Some(searcher) if window.len() > 1 => Some(AnyCase::Packed { searcher, offset }),
            _ => any_case(&[text]).map(AnyCase::Automaton),
        }
    }

    fn find(&self, hay: &[u8], needle: &[u8]) -> Option<(usize, usize)> {
        let (searcher, offset) = match self {
            AnyCase::Packed { searcher, offset } => (searcher, *offset),
            AnyCase::Automaton(automaton) => return automaton.find(hay).map(|m| (m.start(), m.end())),
        };
        let mut from = offset;
        while from < hay.len() {
            let found = searcher.find_in(hay, aho_corasick::Span { start: from, end: hay.len() })?.start();
            let (start, end) = (found - offset, found - offset + needle.len());
            if hay.get(start..end)?.eq_ignore_ascii_case(needle) {
                return Some((start, end));
            }
            from = found + 1;
        }
        None
    }
}

/// Where the three bytes stand that are the least likely in any text, and these.
fn rarest(needle: &[u8]) -> (usize, &[u8]) {
    let likely = |byte: &u8| match byte.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b' ' | b'.' | b'/' | b'\\' => 4,
        b'l' | b'c' | b'd' | b'm' | b'p' | b'u' | b'h' | b'-' | b'_' | b':' | b'=' | b'0'..=b'9' => 2,
        _ => 1,
    };
    let windows = needle.windows(needle.len().clamp(1, 3)).enumerate();
    windows.min_by_key(|(_, window)| window.iter().map(likely).sum::<u32>()).unwrap_or((0, needle))
}

/// Every spelling of some bytes in upper and lower case.
fn spellings(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.iter().fold(vec![Vec::new()], |all, byte| {
        let mut cases = vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        cases.dedup();
        let longer =
            |start: &Vec<u8>| cases.iter().map(|case| [start.as_slice(), &[*case]].concat()).collect::<Vec<_>>();
        all.iter().flat_map(longer).collect()
    })
}

/// Many needles, prepared: whether any, or all, of them stand in a text.
#[derive(Debug)]
pub struct Needles {
    automaton: Option<AhoCorasick>,
    /// Those that the automaton cannot hold, or a single one.
    others: Vec<Needle>,
    /// Where texts are to begin or to end with a needle: a bit for each byte that one of them begins or ends with.
    edges: Option<[u64; 4]>,
    count: usize,
    place: Place,
}

impl Needles {
    pub fn new(texts: &[String], place: Place, case_sensitive: bool) -> Needles {
        let plain: Vec<&str> =
            texts.iter().map(String::as_str).filter(|t| !t.is_empty() && (case_sensitive || t.is_ascii())).collect();
        let edges = edges(texts, place, case_sensitive);
        let automaton = match plain.len() {
            0 | 1 => None,
            _ if edges.is_some() => None,
            _ if case_sensitive => exact(&plain),
            _ => any_case(&plain),
        };
        let others = texts.iter().filter(|t| automaton.is_none() || t.is_empty() || !(case_sensitive || t.is_ascii()));
        let others: Vec<Needle> = others.map(|t| Needle::new(t, place, case_sensitive)).collect();
        Needles { automaton, others, edges, count: plain.len(), place }
    }

    pub fn is_empty(&self) -> bool {
        self.automaton.is_none() && self.others.is_empty()
    }

    pub fn any_in(&self, hay: &str) -> bool {
        if let Some(edges) = &self.edges {
            let edge = if self.place == Place::Start { hay.bytes().next() } else { hay.bytes().next_back() };
            return edge.is_some_and(|byte| has_bit(edges, byte)) && self.others.iter().any(|n| n.is_in(hay));
        }
        let free = |m: aho_corasick::Match| stands_free(hay.as_bytes(), m.start(), m.end(), self.place);
        let found = self.automaton.as_ref().is_some_and(|automaton| match self.place {
            Place::Anywhere => automaton.is_match(hay),
            _ => automaton.find_overlapping_iter(hay).any(free),
        });
        found || self.others.iter().any(|n| n.is_in(hay))
    }

    pub fn all_in(&self, hay: &str) -> bool {
        if !self.others.iter().all(|n| n.is_in(hay)) {
            return false;
        }
        let Some(automaton) = &self.automaton else { return true };
        let mut seen = vec![false; self.count];
        let mut missing = self.count;
        for found in automaton.find_overlapping_iter(hay) {
            if let Some(seen) = seen.get_mut(found.pattern().as_usize())
                && !*seen
                && stands_free(hay.as_bytes(), found.start(), found.end(), self.place)
            {
                *seen = true;
                missing -= 1;
            }
        }
        missing == 0
    }
}

/// The bytes that texts begin or end with which one of a few needles of ASCII stands at; none for other needles.
fn edges(texts: &[String], place: Place, case_sensitive: bool) -> Option<[u64; 4]> {
    const FEW: usize = 32;
    if !matches!(place, Place::Start | Place::End) || texts.is_empty() || texts.len() > FEW {
        return None;
    }
    let mut edges = [0u64; 4];
    for text in texts {
        let edge = if place == Place::Start { text.bytes().next()? } else { text.bytes().next_back()? };
        if !text.is_ascii() {
            return None;
        }
        let cases = [edge.to_ascii_lowercase(), edge.to_ascii_uppercase()];
        let cases = if case_sensitive { [edge; 2] } else { cases };
        cases.iter().for_each(|byte| edges[usize::from(byte >> 6)] |= 1 << (byte & 63));
    }
    Some(edges)
}

#[inline(always)]
fn has_bit(bits: &[u64; 4], byte: u8) -> bool {
    bits[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

fn exact(texts: &[&str]) -> Option<AhoCorasick> {
    build(texts, false)
}

fn any_case(texts: &[&str]) -> Option<AhoCorasick> {
    build(texts, true)
}

/// None for no text, or for more than an automaton can hold.
fn build(texts: &[&str], any_case: bool) -> Option<AhoCorasick> {
    let mut builder = AhoCorasick::builder();
    // Texts are short: a prefilter that looks ahead costs more than it skips.
    builder.ascii_case_insensitive(any_case).match_kind(MatchKind::Standard).prefilter(texts.len() == 1);
    if texts.len() > 1 && texts.iter().map(|t| t.len()).sum::<usize>() < 100_000 {
        builder.kind(Some(AhoCorasickKind::DFA));
    }
    if texts.is_empty() { None } else { builder.build(texts).ok() }
}

fn folded(text: &str) -> Finder {
    match regex::Regex::new(&format!("(?i){}", regex::escape(text))) {
        Ok(regex) => Finder::Folded(regex),
        Err(_) => Finder::Exact(Box::new(memmem::Finder::new(text.as_bytes()).into_owned())),
    }
}

/// Whether `hay[start..end]` is bounded as `place` asks.
fn stands_free(hay: &[u8], start: usize, end: usize, place: Place) -> bool {
    let alphanumeric = |at: Option<usize>| at.and_then(|at| hay.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let open_start = !alphanumeric(Some(start)) || !alphanumeric(start.checked_sub(1));
    let open_end = !alphanumeric(end.checked_sub(1)) || !alphanumeric(Some(end));
    match place {
        Place::Anywhere => true,
        Place::Term => open_start && open_end,
        Place::TermStart => open_start,
        Place::TermEnd => open_end,
        Place::Start => start == 0,
        Place::End => end == hay.len(),
        Place::Whole => start == 0 && end == hay.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(hay: &str, needle: &str) -> bool {
        Needle::new(needle, Place::Term, false).is_in(hay)
    }

    #[test]
    fn terms_are_whole() {
        assert!(has("Mimikatz.exe", "MIMIKATZ"));
        assert!(!has("AnonymousLinkCreated", "Anonymous"));
        assert!(has("www.dropbox.com", "dropbox.com"));
        assert!(!has("mydropbox.com", "dropbox.com"));
        assert!(has("aab ab", "ab"));
        assert!(has("x/ab", "/ab"));
        assert!(has("anything", ""));
    }

    #[test]
    fn needles_are_found_in_any_case_and_place() {
        let long = "x".repeat(70);
        for needle in ["a", "ab", "Gamma77", "7", "\\x.", "eee", "zq-9"] {
            for before in ["", "a", "aa", &long, "eegamma7 "] {
                for after in ["", "A", &long] {
                    let hay = format!("{before}{}{after}", needle.to_ascii_uppercase());
                    assert!(Needle::new(needle, Place::Anywhere, false).is_in(&hay), "{needle} in {hay}");
                }
            }
            assert!(!Needle::new(needle, Place::Anywhere, false).is_in("o"));
        }
    }

    #[test]
    fn many_needles_agree_with_single_ones() {
        let texts = ["dropbox.com", "box.com", "ÜBER", ""].map(String::from);
        let needles = Needles::new(&texts[..3], Place::Term, false);
        assert!(needles.any_in("a.box.com"));
        assert!(!needles.any_in("dropbox.community"));
        assert!(needles.any_in("so über es"));
        assert!(!needles.all_in("www.dropbox.com über"));
        assert!(needles.all_in("box.com dropbox.com über"));
    }
}
