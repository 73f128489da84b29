//! The text of a search with its macros written out and its comments left out, and the way back from it.
use super::quoting;
use crate::diagnostic::{Diagnostic, Span, closest};
use crate::plan::{Catalog, Macro};
use std::sync::Arc;

/// Macros inside of macros.
const MAX_DEPTH: usize = 100;
/// Macros that a search may call, counting those inside of macros.
const MAX_CALLS: usize = 20_000;
/// Bytes that a search may have once its macros are written out.
const MAX_BYTES: usize = 16 << 20;

const COMMENT: &str = "```";

/// The text that is parsed. Every part of it knows which part of the written search it comes from.
#[derive(Debug, Default)]
pub struct Script {
    text: String,
    pieces: Vec<Piece>,
}

/// A stretch of the text, up to where the next begins.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    origin: Span,
    /// Whether it stands in the written search as it is; else all of it comes from a macro's call.
    verbatim: bool,
}

impl Script {
    /// A text that was made of what stands at `origin`.
    pub fn made(text: String, origin: Span) -> Arc<Script> {
        Arc::new(Script { text, pieces: vec![Piece { start: 0, origin, verbatim: false }] })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a stretch of the text stands in the search as it was written.
    pub fn place(&self, start: usize, end: usize) -> Span {
        let first = self.origin(start, start);
        if end > start { first.to(self.origin(end - 1, end)) } else { first }
    }

    fn origin(&self, at: usize, end: usize) -> Span {
        let next = self.pieces.partition_point(|piece| piece.start <= at);
        match next.checked_sub(1).and_then(|found| self.pieces.get(found)) {
            Some(piece) if piece.verbatim => {
                let from = piece.origin.start as usize;
                Span::new(from + (at - piece.start), from + (end - piece.start))
            }
            Some(piece) => piece.origin,
            None => Span::default(),
        }
    }
}

/// Computes the text that a macro of the kind `iseval` stands for.
pub type Evaluate<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Writes out the macros of a search and leaves out its comments.
pub fn expand(text: &str, catalog: &dyn Catalog, evaluate: Evaluate) -> Result<Arc<Script>, Vec<Diagnostic>> {
    let mut expander = Expander { catalog, evaluate, script: Script::default(), calls: 0, diagnostics: Vec::new() };
    expander.write(text, None, 0);
    match expander.diagnostics.is_empty() {
        true => Ok(Arc::new(expander.script)),
        false => Err(expander.diagnostics),
    }
}

struct Expander<'a> {
    catalog: &'a dyn Catalog,
    evaluate: Evaluate<'a>,
    script: Script,
    calls: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Expander<'_> {
    /// Appends a text; `call` is the place of the outermost macro that it comes from.
    fn write(&mut self, text: &str, call: Option<Span>, depth: usize) {
        let (mut at, mut copied) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with('"') {
                at += quoting::length(rest, '"').unwrap_or(rest.len());
                continue;
            }
            if rest.starts_with('\\') {
                at += rest.chars().take(2).map(char::len_utf8).sum::<usize>();
                continue;
            }
            if !rest.starts_with('`') {
                at += rest.find(['"', '`', '\\']).unwrap_or(rest.len());
                continue;
            }
            self.copy(text, copied, at, call);
            at += match rest.strip_prefix(COMMENT) {
                Some(comment) => self.comment(comment, at, call),
                None => self.macro_call(rest, at, call, depth),
            };
            copied = at;
            if !self.diagnostics.is_empty() {
                return;
            }
        }
        self.copy(text, copied, text.len(), call);
    }

    fn copy(&mut self, text: &str, start: usize, end: usize, call: Option<Span>) {
        let Some(part) = text.get(start..end).filter(|part| !part.is_empty()) else { return };
        if self.script.text.len() + part.len() > MAX_BYTES {
            self.fail("the search is too long once its macros are written out", call.unwrap_or_default());
            return;
        }
        let origin = call.unwrap_or_else(|| Span::new(start, end));
        let piece = Piece { start: self.script.text.len(), origin, verbatim: call.is_none() };
        self.script.pieces.push(piece);
        self.script.text.push_str(part);
    }

    fn comment(&mut self, comment: &str, at: usize, call: Option<Span>) -> usize {
        // A comment keeps the words around it apart.
        self.script.pieces.push(Piece {
            start: self.script.text.len(),
            origin: call.unwrap_or_else(|| Span::new(at, at)),
            verbatim: false,
        });
        self.script.text.push(' ');
        match comment.find(COMMENT) {
            Some(length) => length + 2 * COMMENT.len(),
            None => {
                let place = call.unwrap_or_else(|| Span::new(at, at + COMMENT.len()));
                self.diagnostics.push(Diagnostic::error("HP500", "this comment has no closing ```").at(place));
                comment.len() + COMMENT.len()
            }
        }
    }

    /// Writes out the call that a text begins with; gives its length.
    fn macro_call(&mut self, text: &str, at: usize, call: Option<Span>, depth: usize) -> usize {
        let Some(length) = quoting::length(text, '`') else {
            let place = call.unwrap_or_else(|| Span::new(at, at + 1));
            let said = Diagnostic::error("HP500", "this macro has no closing `").at(place);
            self.diagnostics
                .push(said.help("a macro's name stands between two backticks; texts stand in double quotes"));
            return text.len();
        };
        let place = call.unwrap_or_else(|| Span::new(at, at + length));
        self.calls += 1;
        if depth >= MAX_DEPTH || self.calls > MAX_CALLS {
            self.fail("macros call each other without end", place);
            return length;
        }
        let inside = text.get(1..length.saturating_sub(1)).unwrap_or("");
        let (name, arguments) = Self::call_of(inside);
        match self.definition(name, &arguments, place) {
            Ok(definition) => self.write(&definition, Some(place), depth + 1),
            Err(said) => self.diagnostics.push(said),
        }
        length
    }

    fn fail(&mut self, message: &str, place: Span) {
        self.diagnostics.push(Diagnostic::error("HP310", message).at(place));
    }

    /// The name and the arguments of `name(a, "b, c")`.
    fn call_of(inside: &str) -> (&str, Vec<String>) {
        let inside = inside.trim();
        let Some((name, rest)) = inside.split_once('(') else { return (inside, Vec::new()) };
        let list = rest.trim_end().strip_suffix(')').unwrap_or(rest);
        (name.trim(), quoting::split(list, ',').into_iter().map(quoting::unquoted).collect())
    }

    fn definition(&self, name: &str, arguments: &[String], place: Span) -> Result<String, Diagnostic> {
        let Some(known) = self.catalog.search_macro(name, arguments.len()) else {
            return Err(self.unknown(name, arguments.len()).at(place));
        };
        self.validate(name, &known, arguments).map_err(|said| said.at(place))?;
        let text = filled(&known, arguments);
        if !known.is_eval {
            return Ok(text);
        }
        (self.evaluate)(&text).map_err(|why| {
            Diagnostic::error("HP503", format!("the macro `{name}` cannot be computed: {why}")).at(place)
        })
    }

    fn validate(&self, name: &str, known: &Macro, arguments: &[String]) -> Result<(), Diagnostic> {
        let Some((validation, message)) = &known.validation else { return Ok(()) };
        let test = replaced(validation, &known.arguments, arguments);
        let holds = (self.evaluate)(&format!("if({test}, \"1\", \"0\")"));
        match holds.as_deref() {
            Ok("1") => Ok(()),
            Ok(_) => {
                let otherwise = format!("the arguments of the macro `{name}` do not pass its validation");
                Err(Diagnostic::error("HP503", if message.is_empty() { otherwise } else { message.clone() }))
            }
            Err(why) => Err(Diagnostic::error("HP503", format!("the validation of the macro `{name}` fails: {why}"))),
        }
    }

    fn unknown(&self, name: &str, arguments: usize) -> Diagnostic {
        let known = self.catalog.search_macros();
        let counts: Vec<&String> =
            known.iter().filter(|known| known.split('(').next() == Some(name) && known.as_str() != name).collect();
        let signature = if arguments == 0 { name.to_owned() } else { format!("{name}({arguments})") };
        let said = Diagnostic::error("HP503", format!("there is no macro `{signature}`"));
        if let Some(other) = counts.first() {
            return said.help(format!("there is `{other}`: the number counts the arguments"));
        }
        match closest(name, known.iter().map(|known| known.split('(').next().unwrap_or(known))) {
            Some(near) => said.help(format!("did you mean `{near}`?")),
            None => said.help("give it with macros={\"name\": \"definition\"}, a macros.conf or a folder of macros"),
        }
    }
}

/// The definition with its `$parameters$` replaced.
fn filled(known: &Macro, arguments: &[String]) -> String {
    replaced(&known.definition, &known.arguments, arguments)
}

fn replaced(text: &str, parameters: &[String], arguments: &[String]) -> String {
    if parameters.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let named = after.split_once('$').and_then(|(name, behind)| {
            let at = parameters.iter().position(|p| p == name)?;
            Some((arguments.get(at)?, behind))
        });
        match named {
            Some((argument, behind)) => {
                out.push_str(argument);
                rest = behind;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
