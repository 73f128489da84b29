//! The limits of a run by their names.
use crate::diagnostic::{Fault, Result, closest};
use crate::functions::Limits;

const NAMES: [&str; 6] = ["rows", "memory", "values", "seconds", "morsel_rows", "backtracks"];

/// The default limits with these settings changed.
///
/// Errors: a name that is no setting, a value that is negative.
pub fn limits<'a>(settings: impl IntoIterator<Item = (&'a str, i64)>) -> Result<Limits> {
    let mut limits = Limits::default();
    for (name, value) in settings {
        let Ok(count) = usize::try_from(value) else {
            return Err(Fault::query("HP302", format!("the limit `{name}` cannot be {value}")));
        };
        match name {
            "rows" => limits.rows = count,
            "memory" => limits.memory = count,
            "values" => limits.values = count,
            "seconds" => limits.seconds = count as u64,
            "morsel_rows" => limits.morsel_rows = count.max(1),
            "backtracks" => limits.backtracks = count,
            _ => return Err(unknown(name)),
        }
    }
    Ok(limits)
}

fn unknown(name: &str) -> Fault {
    let help = match closest(name, NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the limits are {}", NAMES.join(", ")),
    };
    Fault::query("HP302", format!("there is no limit `{name}`")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_change_the_defaults() {
        let found = limits([("rows", 5), ("seconds", 7)]).unwrap();
        assert_eq!((found.rows, found.seconds), (5, 7));
        assert_eq!(found.values, Limits::default().values);
    }

    #[test]
    fn a_misspelt_setting_is_an_error_with_the_nearest_name() {
        let fault = limits([("memroy", 1)]).unwrap_err();
        assert_eq!(fault.diagnostics()[0].help.as_deref(), Some("did you mean `memory`?"));
        assert!(limits([("rows", -1)]).is_err());
    }
}
