//! How functions are written, for manual pages and completion.
use super::aggregates::{Aggregate, condition_at};
use super::{Accepts, Parameter, Returns, Scalar};

impl Scalar {
    /// `strlen(text: string) -> long`; brackets stand around what may be left out.
    pub fn signature(&self) -> String {
        format!("{}({}){}", self.name, parameters(self.parameters), returned(&self.returns))
    }
}

impl Aggregate {
    pub fn signature(&self) -> String {
        format!("{}({}){}", self.name, parameters(self.parameters), returned(&self.returns))
    }

    /// The signature of the form with a condition, `sumif` of `sum`.
    pub fn signature_if(&self, name: &str) -> String {
        let mut each: Vec<String> = self.parameters.iter().map(parameter).collect();
        each.insert(condition_at(self.name).min(each.len()), "condition: bool".to_owned());
        format!("{name}({}){}", each.join(", "), returned(&self.returns))
    }
}

/// A manual page's first paragraph, on one line.
pub fn summary(docs: &str) -> String {
    let lines = docs.lines().map(str::trim).skip_while(|line| line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn parameters(parameters: &[Parameter]) -> String {
    parameters.iter().map(parameter).collect::<Vec<_>>().join(", ")
}

fn parameter(parameter: &Parameter) -> String {
    let dots = if parameter.repeats { ", …" } else { "" };
    let text = format!("{}: {}{dots}", parameter.name, accepted(parameter.accepts));
    if parameter.optional { format!("[{text}]") } else { text }
}

fn returned(returns: &Returns) -> String {
    match returns {
        Returns::Kind(kind) => format!(" -> {kind}"),
        _ => String::new(),
    }
}

fn accepted(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Kind(kind) => kind.name(),
        Accepts::Any => "any",
        Accepts::Number => "number",
        Accepts::Summable => "number or timespan",
        Accepts::Ordered => "number, datetime or timespan",
        Accepts::Integer => "integer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{Dialect, aggregates, find};

    #[test]
    fn what_may_be_left_out_or_repeated_is_marked() {
        assert_eq!(find(Dialect::Kql, "strlen")[0].signature(), "strlen(text: string) -> long");
        assert!(find(Dialect::Kql, "strcat")[0].signature().contains(", …"));
        let sum = aggregates::find(Dialect::Kql, "sum").unwrap();
        assert!(sum.signature_if("sumif").contains("condition: bool"));
    }

    #[test]
    fn a_summary_is_one_line() {
        assert_eq!(summary("\n The length\n of a text.\n\n Source: x."), "The length of a text.");
    }
}
