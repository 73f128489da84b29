//! What splunkd says of a search before the first chunk.
use super::frame::broken;
use crate::diagnostic::Result;
use crate::types::datetime;
use serde_json::Value;

/// The parts of a `getinfo` message that commands look at.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// The command's arguments as they are written, quotes included.
    pub arguments: Vec<String>,
    /// The end of the search's time range, in ticks; none where it has none.
    pub latest: Option<i64>,
    /// The search, decoded.
    pub search: String,
    /// The address of splunkd, the key with which the search may ask it, and the app that it runs in.
    pub splunkd: String,
    pub session_key: String,
    pub app: String,
    /// The number that all processes of a search share.
    pub sid: String,
}

impl Info {
    /// Reads the metadata of the first message.
    pub fn read(metadata: &Value) -> Result<Info> {
        if metadata.get("action").is_none_or(|action| action != "getinfo") {
            return Err(broken("the first one is not `getinfo`"));
        }
        let search = metadata.get("searchinfo").unwrap_or(&Value::Null);
        if !matches!(search, Value::Null | Value::Object(_)) {
            return Err(broken("`searchinfo` is no object"));
        }
        let raw = texts(search, "raw_args")?;
        let arguments = if raw.is_empty() { texts(search, "args")? } else { raw };
        let written = search.get("search").and_then(Value::as_str).unwrap_or_default();
        let search_text = percent_encoding::percent_decode_str(written).decode_utf8_lossy().into_owned();
        let text = |key: &str| search.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (sid, splunkd, session_key, app) = (text("sid"), text("splunkd_uri"), text("session_key"), text("app"));
        Ok(Info {
            arguments,
            latest: search.get("latest_time").and_then(epoch),
            search: search_text,
            splunkd,
            session_key,
            app,
            sid,
        })
    }

    /// Whether a command is the first of its search.
    pub fn begins_with(&self, command: &str) -> bool {
        let rest = self.search.trim_start().strip_prefix('|').map(str::trim_start);
        let behind = rest.and_then(|rest| rest.strip_prefix(command));
        behind.is_some_and(|behind| !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    }
}

impl Info {
    /// When the search was started, which its number tells, if that was not long before `now` (ticks): all processes
    /// of the search agree on it.
    pub fn started(&self, now: i64) -> Option<i64> {
        let digits = |text: &str| text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = self.sid.split(|c: char| !c.is_ascii_digit()).find(|part| digits(part))?.parse().ok()?;
        let started = datetime::from_unix_real(seconds, datetime::Part::Second)?;
        (now.checked_sub(started)?.unsigned_abs() < datetime::TICKS_PER_DAY.unsigned_abs()).then_some(started)
    }
}

/// A list of texts; empty where there is none.
///
/// Errors: something else.
fn texts(search: &Value, key: &str) -> Result<Vec<String>> {
    let text = |item: &Value| item.as_str().map(str::to_owned);
    match search.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            texts.ok_or_else(|| broken(format!("`{key}` holds something else than texts")))
        }
        Some(_) => Err(broken(format!("`{key}` is no list"))),
    }
}

/// Seconds since 1970, a number or its text, as ticks; 0 is no time.
fn epoch(value: &Value) -> Option<i64> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let ticks = datetime::from_unix_real(seconds, datetime::Part::Second)?;
    (seconds > 0.0).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_and_times() {
        let search = json!({"raw_args": ["a=\"b c\""], "args": ["a=b c"], "latest_time": "1717200000.5", "search": "%7C%20kql%20x"});
        let info = Info::read(&json!({"action": "getinfo", "searchinfo": search})).unwrap();
        assert_eq!(info.arguments, ["a=\"b c\""]);
        assert_eq!(datetime::format(info.latest.unwrap()), "2024-06-01T00:00:00.5000000Z");
        assert!(info.begins_with("kql") && !info.begins_with("kq"));
        assert!(Info::read(&json!({"action": "execute"})).is_err());
        assert_eq!(Info::read(&json!({"action": "getinfo", "searchinfo": {"latest_time": "0"}})).unwrap().latest, None);
    }
}
