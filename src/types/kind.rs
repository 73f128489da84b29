//! The kinds of KQL's values, and the one kind of Splunk's fields.
use std::fmt;

/// The kind of a column or a value.
///
/// Source: the documentation page "Scalar data types".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Bool,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    Real,
    /// Kept as canonical text: Kusto's decimals have 34 digits and no fixed scale.
    Decimal,
    /// Never null: an absent text is `""`.
    String,
    /// Ticks of 100 ns since 1970-01-01 UTC, years 1 to 9999.
    DateTime,
    /// Ticks of 100 ns.
    TimeSpan,
    /// Any JSON value, also with Kusto's own literals inside.
    Dynamic,
    /// Canonical lower-case text.
    Guid,
    /// A field of a Splunk event: absent, one text or several.
    Field,
}

impl Kind {
    pub const KQL: [Kind; 10] = [
        Kind::Bool,
        Kind::Int,
        Kind::Long,
        Kind::Real,
        Kind::Decimal,
        Kind::String,
        Kind::DateTime,
        Kind::TimeSpan,
        Kind::Dynamic,
        Kind::Guid,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Real => "real",
            Kind::Decimal => "decimal",
            Kind::String => "string",
            Kind::DateTime => "datetime",
            Kind::TimeSpan => "timespan",
            Kind::Dynamic => "dynamic",
            Kind::Guid => "guid",
            Kind::Field => "field",
        }
    }

    /// The name that the columns of an answer show: a field that holds texts is a string.
    pub fn shown(self) -> &'static str {
        if self == Kind::Field { Kind::String.name() } else { self.name() }
    }

    /// The kind of a name as it is written in a query or a schema, aliases included.
    pub fn parse(name: &str) -> Option<Kind> {
        Some(match name {
            "bool" | "boolean" => Kind::Bool,
            "int" | "int32" => Kind::Int,
            "long" | "int64" => Kind::Long,
            "real" | "double" => Kind::Real,
            "decimal" => Kind::Decimal,
            "string" => Kind::String,
            "datetime" | "date" => Kind::DateTime,
            "timespan" | "time" => Kind::TimeSpan,
            "dynamic" => Kind::Dynamic,
            "guid" | "uuid" | "uniqueid" => Kind::Guid,
            _ => return None,
        })
    }

    pub fn is_number(self) -> bool {
        matches!(self, Kind::Int | Kind::Long | Kind::Real | Kind::Decimal)
    }

    pub fn is_integer(self) -> bool {
        matches!(self, Kind::Int | Kind::Long)
    }

    /// Whether a column of this kind is stored as text.
    pub fn is_textual(self) -> bool {
        matches!(self, Kind::Decimal | Kind::String | Kind::Dynamic | Kind::Guid | Kind::Field)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
