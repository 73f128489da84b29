//! What a run reads from a rule's mappings, which the rule itself keeps as written.
use super::rule::Rule;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One entity and the columns that identify it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EntityMapping {
    pub entity_type: String,
    #[serde(default)]
    pub field_mappings: Vec<FieldMapping>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FieldMapping {
    pub identifier: String,
    pub column_name: String,
}

/// A column that holds entity JSON already.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EntitiesMapping {
    pub column_name: String,
}

/// What the rows of a result say about their alert.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct AlertDetailsOverride {
    pub alert_display_name_format: Option<String>,
    pub alert_description_format: Option<String>,
    pub alert_tactics_column_name: Option<String>,
    pub alert_severity_column_name: Option<String>,
    pub alert_dynamic_properties: Option<Vec<DynamicProperty>>,
}

/// A property of the alert that a column gives.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DynamicProperty {
    pub alert_property: String,
    pub value: String,
}

impl Rule {
    pub fn mapped_entities(&self) -> Vec<EntityMapping> {
        read(&self.entity_mappings)
    }

    pub fn mapped_entity_columns(&self) -> Vec<EntitiesMapping> {
        read(&self.sentinel_entities_mappings)
    }

    pub fn overrides(&self) -> AlertDetailsOverride {
        read(&self.alert_details_override)
    }

    /// The custom details: name and column.
    pub fn mapped_details(&self) -> Vec<(String, String)> {
        let text = |(name, column): (&String, &Value)| Some((name.clone(), column.as_str()?.to_string()));
        self.custom_details.as_object().into_iter().flatten().filter_map(text).collect()
    }
}

/// Loading has checked the shape, so the fallback is never seen.
fn read<T: DeserializeOwned + Default>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_default()
}
