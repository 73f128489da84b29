//! `invoke` of the functions that Microsoft Defender alone can answer: their columns are known, their answers are
//! not. Over no rows nothing has to be asked, and a check knows the columns; over rows the function must be given.
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::kql::ast::Call;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::{Relation, Row};
use crate::plan::Node;
use crate::types::{Kind, Name, Value};

/// What Defender adds to the rows: the columns of a file's profile.
const FILE_PROFILE: &[(&str, Kind)] = &[
    ("SHA1", Kind::String),
    ("SHA256", Kind::String),
    ("MD5", Kind::String),
    ("FileSize", Kind::Long),
    ("GlobalPrevalence", Kind::Int),
    ("GlobalFirstSeen", Kind::DateTime),
    ("GlobalLastSeen", Kind::DateTime),
    ("Signer", Kind::String),
    ("Issuer", Kind::String),
    ("SignerHash", Kind::String),
    ("IsCertificateValid", Kind::Bool),
    ("IsRootSignerMicrosoft", Kind::Bool),
    ("SignatureState", Kind::String),
    ("IsExecutable", Kind::Bool),
    ("ThreatName", Kind::String),
    ("Publisher", Kind::String),
    ("SoftwareName", Kind::String),
    ("ProfileAvailability", Kind::String),
];

/// What Defender adds to the rows: the device that had an address.
const DEVICE_FROM_IP: &[(&str, Kind)] = &[("IP", Kind::String), ("DeviceId", Kind::String)];

fn columns_of(function: &str) -> Option<&'static [(&'static str, Kind)]> {
    match function {
        "FileProfile" => Some(FILE_PROFILE),
        "DeviceFromIP" => Some(DEVICE_FROM_IP),
        _ => None,
    }
}

impl Binder<'_> {
    /// The rows with the columns that a function of Defender's would add; none for another function.
    pub(super) fn asked_of_defender(&mut self, call: &Call, input: &Relation) -> Option<Bind<Relation>> {
        let columns = columns_of(&call.name.text)?;
        let row = Row::of(input);
        for argument in &call.arguments {
            if let Err(reported) = self.whole(&argument.value, &row) {
                return Some(Err(reported));
            }
        }
        let mut asked = vec![Expr::Const(Value::string(call.name.text.as_str()))];
        // The body of a saved function is another text.
        if self.calling.iter().all(String::is_empty) {
            let Span { start, end } = call.name.span;
            asked.extend([start, end].map(|place| Expr::Const(Value::Long(i64::from(place)))));
        }
        let asked = self.call_item(".asked", asked, call.name.span);
        Some(asked.map(|predicate| {
            let kept = self.same_columns(input, Node::Filter { input: input.node, predicate });
            let null = |(name, kind): &(&str, Kind)| (Name::from(*name), Expr::Const(Value::null(*kind)));
            self.extend(&kept, columns.iter().map(null).collect())
        }))
    }
}
