//! Event types and tags, from eventtypes.conf and tags.conf.
use super::Knowledge;
use crate::plan::{EventType, Tag};
use crate::read::Conf;

impl Knowledge {
    /// Adds the event types of an eventtypes.conf: their number.
    pub(super) fn add_event_types(&mut self, conf: &Conf) -> usize {
        for stanza in &conf.stanzas {
            let search = stanza.get("search").filter(|_| !stanza.flag("disabled").unwrap_or(false));
            let Some(search) = search else { continue };
            let made = EventType { name: stanza.name.clone(), search: search.to_owned() };
            self.event_types.insert(stanza.name.clone(), made);
            // Old files tag an event type where it is defined.
            for tag in stanza.get("tags").unwrap_or_default().split_whitespace() {
                self.tag(tag, "eventtype", &stanza.name, true);
            }
        }
        conf.stanzas.len()
    }

    /// Adds the tags of a tags.conf, `[field=value]` and `tag = enabled`: their number.
    pub(super) fn add_tags(&mut self, conf: &Conf) -> usize {
        for stanza in &conf.stanzas {
            let Some((field, value)) = stanza.name.split_once('=') else { continue };
            let value = decoded(value.trim());
            for setting in &stanza.settings {
                self.tag(&setting.key, field.trim(), &value, stanza.flag(&setting.key).unwrap_or(false));
            }
        }
        conf.stanzas.len()
    }

    fn tag(&mut self, name: &str, field: &str, value: &str, enabled: bool) {
        let made = Tag { name: name.to_owned(), field: field.to_owned(), value: value.to_owned() };
        self.tags.retain(|known| *known != made);
        if enabled {
            self.tags.push(made);
        }
    }
}

/// A value of a stanza's head, in which `%3D` and the like stand for what a head cannot hold.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
