//! Search macros: from macros.conf, from YAML, and those that are built in.
use super::{Knowledge, text, texts};
use crate::diagnostic::Result;
use crate::plan::Macro;
use crate::read::{Conf, Stanza};
use serde_json::Value;
use std::path::Path;
use std::sync::LazyLock;

/// The macros that detections of Splunk's public content share, and the lookups that other apps bring along. What
/// there rests on the event types of an add-on stands here by source and source type.
static BUILT_IN: LazyLock<Knowledge> = LazyLock::new(|| {
    let mut found = Knowledge::default();
    // A test reads them: no error is lost here.
    _ = found.add_macros(&Conf::parse(include_str!("macros.conf"), BUILT_IN_ORIGIN));
    _ = found.add_transforms(&Conf::parse(include_str!("transforms.conf"), BUILT_IN_ORIGIN), Path::new(""));
    found
});

const BUILT_IN_ORIGIN: &str = "built in";

/// What holds where nobody has defined a macro of that name.
pub(super) fn built_in() -> &'static Knowledge {
    &BUILT_IN
}

/// `name(2)` as a name and a number of arguments; a bare name says none.
pub fn parse_name(text: &str) -> (&str, Option<usize>) {
    let parts = text.trim().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let counted = parts.and_then(|(name, count)| Some((name.trim(), Some(count.trim().parse().ok()?))));
    counted.unwrap_or((text.trim(), None))
}

impl Knowledge {
    /// Adds the macros of a macros.conf: their number.
    pub(super) fn add_macros(&mut self, conf: &Conf) -> Result<usize> {
        let mut found = 0;
        for stanza in &conf.stanzas {
            let Some(definition) = stanza.setting("definition") else { continue };
            let place = |fault: crate::diagnostic::Fault| fault.at(definition.span).of(&conf.file);
            self.add_macro(&stanza.name, of_stanza(stanza, &conf.file.origin)).map_err(place)?;
            found += 1;
        }
        Ok(found)
    }

    /// Adds the macro of a YAML; none where it holds something else.
    pub(super) fn add_macro_document(&mut self, document: &Value, path: &Path) -> Result<usize> {
        let (Some(name), Some(definition)) = (text(document, "name"), text(document, "definition")) else {
            return Ok(0);
        };
        let arguments = texts(document, "arguments");
        let origin = path.display().to_string();
        self.add_macro(&name, Macro { arguments, definition, origin, ..Macro::default() })?;
        Ok(1)
    }
}

fn of_stanza(stanza: &Stanza, origin: &str) -> Macro {
    let names = stanza.get("args").unwrap_or_default().split(',');
    let arguments = names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let message = stanza.get("errormsg").unwrap_or_default().to_owned();
    Macro {
        arguments,
        definition: stanza.get("definition").unwrap_or_default().to_owned(),
        is_eval: stanza.flag("iseval").unwrap_or(false),
        validation: stanza.get("validation").map(|test| (test.to_owned(), message)),
        origin: origin.to_owned(),
    }
}
