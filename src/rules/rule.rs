//! The one form that every rule format is brought to.
use super::detection::{Detection, FindingSeverity};
use super::duration::{HOUR, Ticks};
use super::escu;
use crate::diagnostic::{Diagnostic, Source};
use serde_json::Value;
use std::sync::Arc;

/// An enumeration whose variants have one canonical name and are read in any case, some also under
/// other names.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $canonical:literal $(| $alias:literal)*),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl Choice for $name {
            const NAMES: &'static [&'static str] = &[$($canonical),+];

            fn parse(text: &str) -> Option<Self> {
                let text = text.trim();
                $(if [$canonical $(, $alias)*].iter().any(|name| name.eq_ignore_ascii_case(text)) {
                    return Some($name::$variant);
                })+
                None
            }

            fn name(self) -> &'static str {
                match self { $($name::$variant => $canonical),+ }
            }
        }
    };
}

pub(super) use choices;

/// One of a few named values.
pub trait Choice: Sized + Copy {
    /// The canonical names.
    const NAMES: &'static [&'static str];
    fn parse(text: &str) -> Option<Self>;
    fn name(self) -> &'static str;
}

choices! {
    /// The language of a rule's query.
    Language { Kql = "kql", Spl = "spl" }
}

choices! {
    /// The kind of file that a rule was read from.
    Format { Sentinel = "sentinel", Arm = "arm", Escu = "escu", SavedSearch = "savedsearch", Defender = "defender" }
}

choices! {
    /// Runs on a schedule over a period, or each minute over what was ingested since.
    RuleKind { Scheduled = "Scheduled", Nrt = "NRT" }
}

choices! {
    /// How grave an alert of the rule is.
    RuleSeverity { Informational = "Informational", Low = "Low", Medium = "Medium", High = "High" }
}

choices! {
    /// How the number of result rows is compared with the threshold.
    TriggerOperator {
        GreaterThan = "gt" | "GreaterThan" | ">",
        LessThan = "lt" | "LessThan" | "<",
        Equal = "eq" | "Equal" | "Equals" | "==" | "=",
        NotEqual = "ne" | "NotEqual" | "NotEquals" | "!=" | "<>",
    }
}

impl TriggerOperator {
    /// Whether a run with that many rows raises an alert.
    pub fn holds(self, rows: usize, threshold: i64) -> bool {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        match self {
            TriggerOperator::GreaterThan => rows > threshold,
            TriggerOperator::LessThan => rows < threshold,
            TriggerOperator::Equal => rows == threshold,
            TriggerOperator::NotEqual => rows != threshold,
        }
    }

    /// The name that ARM templates and alerts use.
    pub fn long_name(self) -> &'static str {
        match self {
            TriggerOperator::GreaterThan => "GreaterThan",
            TriggerOperator::LessThan => "LessThan",
            TriggerOperator::Equal => "Equal",
            TriggerOperator::NotEqual => "NotEqual",
        }
    }
}

choices! {
    /// Whether a run's rows make one alert or one each.
    EventGrouping { SingleAlert = "SingleAlert", AlertPerResult = "AlertPerResult" }
}

choices! {
    /// What two alerts must share to fall into one incident.
    MatchingMethod { AllEntities = "AllEntities", AnyAlert = "AnyAlert", Selected = "Selected" }
}

/// A detection rule, read from any of the formats. Durations are ticks of 100 ns; absent texts are
/// none, absent lists and mappings empty (`[]`, `{}`).
#[derive(Clone, Debug)]
pub struct Rule {
    /// Absent only in files that have none; [`Rule::key`] then stands in.
    pub id: Option<String>,
    pub name: String,
    /// Without the literal quotes that upstream wraps around it.
    pub description: Option<String>,
    pub version: Option<String>,
    pub author: Option<String>,
    /// The file, as it was named.
    pub path: String,
    /// The rule's document as it was written.
    pub raw: Value,
    pub language: Language,
    pub format: Format,
    pub kind: RuleKind,
    pub severity: RuleSeverity,
    pub status: Option<String>,
    pub enabled: bool,
    pub query: String,
    /// The query again, with the place where the rule file keeps it.
    pub query_source: Arc<Source>,
    pub query_frequency: Ticks,
    pub query_period: Ticks,
    pub trigger_operator: TriggerOperator,
    pub trigger_threshold: i64,
    pub suppression_enabled: bool,
    pub suppression_duration: Ticks,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    /// `[{entityType, fieldMappings: [{identifier, columnName}]}]`
    pub entity_mappings: Value,
    /// `[{columnName}]`
    pub sentinel_entities_mappings: Value,
    /// `{name of the detail: column}`
    pub custom_details: Value,
    pub alert_details_override: Value,
    /// `[{connectorId, dataTypes}]`
    pub required_data_connectors: Value,
    pub tags: Value,
    pub event_grouping: EventGrouping,
    pub create_incident: bool,
    pub grouping_enabled: bool,
    pub reopen_closed_incident: bool,
    pub lookback_duration: Ticks,
    pub matching_method: MatchingMethod,
    pub group_by_entities: Vec<String>,
    pub group_by_alert_details: Vec<String>,
    pub group_by_custom_details: Vec<String>,
    /// What a rule of Splunk has beyond all this.
    pub detection: Option<Box<Detection>>,
    /// What was odd about the file though the rule loads; spans point into `file`.
    pub warnings: Vec<Diagnostic>,
    /// The text of the rule's file.
    pub file: Arc<Source>,
}

/// Sentinel's defaults for a suppression and for the look-back of a grouping.
pub const DEFAULT_SUPPRESSION: Ticks = 5 * HOUR;
pub const DEFAULT_LOOKBACK: Ticks = 5 * HOUR;

impl Rule {
    /// What names this rule among others: its id, else its name.
    pub fn key(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.name)
    }

    /// The kind as the format calls it.
    pub fn kind_name(&self) -> &'static str {
        self.detection.as_ref().map_or(self.kind.name(), |detection| detection.kind.name())
    }

    /// The severity as the format calls it.
    pub fn severity_name(&self) -> &'static str {
        self.detection.as_ref().map_or(self.severity.name(), |detection| detection.severity().name())
    }

    /// A rule in SPL that says no more of itself than its detection does.
    pub(super) fn of_detection(
        detection: Detection,
        name: String,
        query_source: Arc<Source>,
        format: Format,
        file: &Arc<Source>,
    ) -> Rule {
        let nothing = || Value::Array(vec![]);
        let frequency = escu::frequency(&detection.schedule.cron);
        Rule {
            id: None,
            name,
            description: None,
            version: None,
            author: None,
            path: file.origin.clone(),
            raw: Value::Null,
            language: Language::Spl,
            format,
            kind: RuleKind::Scheduled,
            severity: match detection.severity() {
                FindingSeverity::Informational => RuleSeverity::Informational,
                FindingSeverity::Low => RuleSeverity::Low,
                FindingSeverity::Medium => RuleSeverity::Medium,
                FindingSeverity::High | FindingSeverity::Critical => RuleSeverity::High,
            },
            status: None,
            enabled: true,
            query: query_source.text.clone(),
            query_source,
            query_frequency: frequency,
            query_period: escu::period(&detection.schedule).unwrap_or(frequency),
            trigger_operator: TriggerOperator::GreaterThan,
            trigger_threshold: 0,
            suppression_enabled: false,
            suppression_duration: DEFAULT_SUPPRESSION,
            tactics: vec![],
            techniques: vec![],
            entity_mappings: nothing(),
            sentinel_entities_mappings: nothing(),
            custom_details: Value::Object(Default::default()),
            alert_details_override: Value::Object(Default::default()),
            required_data_connectors: nothing(),
            tags: nothing(),
            event_grouping: EventGrouping::SingleAlert,
            create_incident: false,
            grouping_enabled: false,
            reopen_closed_incident: false,
            lookback_duration: DEFAULT_LOOKBACK,
            matching_method: MatchingMethod::AllEntities,
            group_by_entities: vec![],
            group_by_alert_details: vec![],
            group_by_custom_details: vec![],
            detection: Some(Box::new(detection)),
            warnings: vec![],
            file: file.clone(),
        }
    }
}
