//! Diagnostics as text: annotated for a terminal, or plain.
use super::{Diagnostic, Severity, Source};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// How a diagnostic is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The source with the place underlined, in colours.
    Colour,
    /// The same without colours.
    Plain,
    /// One line each: `origin:line:column: error[code]: message`.
    Line,
}

/// Draws diagnostics against the text they are about.
pub fn render(diagnostics: &[Diagnostic], source: Option<&Source>, style: Style) -> String {
    let nothing = Source::default();
    let source = source.unwrap_or(&nothing);
    let drawn = diagnostics.iter().map(|d| match style {
        Style::Line => line(d, source),
        Style::Colour => annotated(d, source, Renderer::styled()),
        Style::Plain => annotated(d, source, Renderer::plain()),
    });
    drawn.collect::<Vec<_>>().join(if style == Style::Line { "\n" } else { "\n\n" })
}

fn line(d: &Diagnostic, source: &Source) -> String {
    let place = match d.span {
        Some(span) if !source.origin.is_empty() => {
            let (line, column) = source.place(span.start as usize);
            format!("{}:{line}:{column}: ", source.origin)
        }
        _ if !source.origin.is_empty() => format!("{}: ", source.origin),
        _ => String::new(),
    };
    let help = d.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
    format!("{place}{}[{}]: {}{help}", d.severity.name(), d.code, d.message)
}

fn annotated(d: &Diagnostic, source: &Source, renderer: Renderer) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(d.message.as_str()).id(d.code.as_ref());
    let place = d.span.filter(|_| !source.text.is_empty()).map(|span| {
        let (start, end) = inside(&source.text, span.start as usize, span.end as usize);
        Snippet::source(source.text.as_str())
            .path(source.origin.as_str())
            .line_start(source.first_line.max(1))
            .annotation(AnnotationKind::Primary.span(start..end))
    });
    let is_file = !source.origin.is_empty() && !source.origin.starts_with('<');
    let mut group = match place {
        Some(snippet) => title.element(snippet),
        // What is wrong with a whole file names the file.
        None if is_file => title.element(Origin::path(source.origin.as_str())),
        None => Group::with_title(title),
    };
    if let Some(help) = &d.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The range moved onto character boundaries of the text.
fn inside(text: &str, start: usize, end: usize) -> (usize, usize) {
    let mut start = start.min(text.len());
    let mut end = end.clamp(start, text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (start, end)
}
