//! Entities of alerts: from a result's columns to Sentinel's entity JSON.
//!
//! Sources: Sentinel's entity types reference, its entity mapping page and its documented limits.
use super::mapping::{EntitiesMapping, EntityMapping};
use crate::types::{Schema, Value as Cell, json};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Entities that an alert may carry, and the bytes of their JSON.
const ENTITY_LIMIT: usize = 500;
const SIZE_LIMIT: usize = 64 * 1024;
/// Levels of nesting that an entity given as JSON may have.
const DEPTH_LIMIT: usize = 16;

/// A type of entity: its name in rules, its name in JSON, the identifiers that rules may map, and the sets
/// of identifiers of which at least one must have a value.
pub struct EntityKind {
    pub name: &'static str,
    pub json: &'static str,
    pub identifiers: &'static [&'static str],
    pub required: &'static [&'static [&'static str]],
}

macro_rules! kinds {
    ($($name:literal $json:literal [$($($required:literal)&+),+] $($other:literal)*;)+) => {
        /// Every entity type that rules can map.
        pub static KINDS: &[EntityKind] = &[$(EntityKind {
            name: $name,
            json: $json,
            identifiers: &[$($($required,)+)+ $($other),*],
            required: &[$(&[$($required),+]),+],
        }),+];
    };
}

kinds! {
    "Account" "account" ["Name", "FullName", "Sid", "AadUserId", "PUID", "ObjectGuid"]
        "NTDomain" "DnsDomain" "UPNSuffix" "AadTenantId" "IsDomainJoined" "DisplayName";
    "Host" "host" ["FullName", "HostName", "NetBiosName", "AzureID", "OMSAgentID"]
        "DnsDomain" "NTDomain" "OSFamily" "OSVersion" "IsDomainJoined";
    "IP" "ip" ["Address"] "AddressScope";
    "URL" "url" ["Url"];
    "DNS" "dns" ["DomainName"];
    "AzureResource" "azure-resource" ["ResourceId"];
    "File" "file" ["Name"] "Directory";
    "FileHash" "filehash" ["Algorithm" & "Value"];
    "Malware" "malware" ["Name"] "Category";
    "Process" "process" ["CommandLine", "ProcessId"] "ElevationToken" "CreationTimeUtc";
    "CloudApplication" "cloud-application" ["AppId", "Name"] "InstanceName";
    "RegistryKey" "registry-key" ["Key", "Hive"];
    "RegistryValue" "registry-value" ["Name"] "Value" "ValueType";
    "SecurityGroup" "security-group" ["DistinguishedName", "SID", "ObjectGuid"];
    "Mailbox" "mailbox" ["MailboxPrimaryAddress"] "DisplayName" "Upn" "ExternalDirectoryObjectId" "RiskLevel";
    "MailMessage" "mail-message" ["NetworkMessageId", "Recipient"]
        "InternetMessageId" "Sender" "P1Sender" "P2Sender" "SenderIP" "Subject" "ReceivedDate" "Urls" "Threats" "Language"
        "ThreatDetectionMethods" "BodyFingerprintBin1" "AntispamDirection" "DeliveryAction" "DeliveryLocation"
        "P1SenderDisplayName" "P1SenderDomain" "P2SenderDisplayName" "P2SenderDomain";
    "MailCluster" "mail-cluster" ["Query", "Source"]
        "NetworkMessageIds" "CountByDeliveryStatus" "CountByThreatType" "CountByProtectionStatus" "Threats" "QueryTime"
        "MailCount" "IsVolumeAnomaly" "ClusterSourceIdentifier" "ClusterSourceType" "ClusterQueryStartTime"
        "ClusterQueryEndTime" "ClusterGroup";
    "SubmissionMail" "SubmissionMail" ["SubmissionId", "NetworkMessageId", "Recipient", "Submitter"]
        "Timestamp" "Sender" "SenderIp" "Subject" "ReportType" "SubmissionDate";
    "IoTDevice" "iotdevice" ["DeviceId"] "IoTHub" "DeviceName" "Owners";
}

/// Names that no account entity is made of: they say nothing.
const DROPPED_ACCOUNTS: &[&str] = &[
    "ADMIN",
    "ADMINISTRATOR",
    "SYSTEM",
    "ROOT",
    "ANONYMOUS",
    "AUTHENTICATED USER",
    "NETWORK",
    "NULL",
    "LOCAL SYSTEM",
    "LOCALSYSTEM",
    "NETWORK SERVICE",
];

impl EntityKind {
    /// An identifier in the schema's own spelling; public rules write `SID` for `Sid`.
    pub fn identifier(&self, name: &str) -> Option<&'static str> {
        self.identifiers.iter().find(|identifier| identifier.eq_ignore_ascii_case(name)).copied()
    }
}

/// The entity type of a name, in any case.
pub fn kind(name: &str) -> Option<&'static EntityKind> {
    KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name.trim()))
}

/// One entity: its type's name in rules and its fields, without `$id` and `Type`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// As rules name it (`Account`); for entities given as JSON, their own `Type`.
    pub kind: String,
    pub fields: Map<String, Value>,
    /// The hosts of the rows that a local account stands in: their places among the alert's entities.
    hosts: Vec<usize>,
}

impl Entity {
    /// What two entities must share to be the same.
    pub fn identity(&self) -> String {
        format!("{}{}", self.kind, Value::Object(self.fields.clone()))
    }
}

/// The entities of one alert, each once.
#[derive(Clone, Debug, Default)]
pub struct Entities {
    list: Vec<Entity>,
    places: HashMap<String, usize>,
    size: usize,
}

impl Entities {
    /// Takes what the rows' columns say, in the order of rows and mappings.
    pub fn of_rows(schema: &Schema, rows: &[&[Cell]], mapped: &[EntityMapping], given: &[EntitiesMapping]) -> Entities {
        let mut entities = Entities::default();
        for row in rows {
            let places: Vec<usize> = mapped
                .iter()
                .filter_map(|mapping| entity(mapping, schema, row))
                .filter_map(|entity| entities.add(entity))
                .collect();
            entities.join_hosts(&places);
            for column in given {
                let texts = schema.position(&column.column_name).and_then(|at| row.get(at)).map(Cell::to_text);
                texts.iter().flat_map(|text| given_entities(text)).for_each(|entity| _ = entities.add(entity));
            }
        }
        entities
    }

    pub fn list(&self) -> &[Entity] {
        &self.list
    }

    /// The place of an entity; none where the alert is full.
    fn add(&mut self, entity: Entity) -> Option<usize> {
        let identity = entity.identity();
        if let Some(at) = self.places.get(&identity) {
            return Some(*at);
        }
        let size = identity.len() + 32;
        if self.list.len() >= ENTITY_LIMIT || self.size + size > SIZE_LIMIT {
            return None;
        }
        self.size += size;
        self.places.insert(identity, self.list.len());
        self.list.push(entity);
        Some(self.list.len() - 1)
    }

    /// An account that no domain tells apart is of the host of its row; of none where its rows differ.
    fn join_hosts(&mut self, places: &[usize]) {
        let of_kind = |name: &str| {
            let fits = |at: &&usize| self.list.get(**at).is_some_and(|entity| entity.kind == name);
            places.iter().filter(fits).copied().collect::<Vec<_>>()
        };
        let (accounts, hosts) = (of_kind("Account"), of_kind("Host"));
        let ([account], [host]) = (accounts.as_slice(), hosts.as_slice()) else { return };
        if let Some(account) = self.list.get_mut(*account) {
            let local = account.fields.keys().all(|key| ["Name", "DisplayName"].contains(&key.as_str()));
            if local && !account.hosts.contains(host) {
                account.hosts.push(*host);
            }
        }
    }

    /// Sentinel's entity JSON: `$id` from 1, `Type` last, references by `$ref`.
    pub fn to_json(&self) -> Value {
        let entity = |(at, entity): (usize, &Entity)| {
            let mut map = Map::new();
            map.insert("$id".into(), (at + 1).to_string().into());
            map.extend(entity.fields.clone());
            if let [host] = entity.hosts.as_slice() {
                map.insert("Host".into(), json!({"$ref": (host + 1).to_string()}));
            }
            let json = kind(&entity.kind).map_or(entity.kind.as_str(), |kind| kind.json);
            map.insert("Type".into(), json.into());
            Value::Object(map)
        };
        self.list.iter().enumerate().map(entity).collect()
    }
}

/// The entity that a row gives for a mapping; none where its identifiers have no values.
fn entity(mapping: &EntityMapping, schema: &Schema, row: &[Cell]) -> Option<Entity> {
    let mut fields = Map::new();
    let known = kind(&mapping.entity_type);
    for field in &mapping.field_mappings {
        let cell = schema.position(&field.column_name).and_then(|at| row.get(at));
        let identifier = known.and_then(|kind| kind.identifier(&field.identifier)).unwrap_or(&field.identifier);
        if let Some(value) = cell.and_then(field_value) {
            fields.insert(identifier.into(), value);
        }
    }
    let has = |identifiers: &&[&str]| identifiers.iter().all(|identifier| fields.contains_key(*identifier));
    if fields.is_empty() || known.is_some_and(|kind| !kind.required.iter().any(has)) {
        return None;
    }
    let name = known.map_or(mapping.entity_type.as_str(), |kind| kind.name);
    split_full_name(name, &mut fields);
    let dropped = name == "Account" && fields.get("Name").and_then(Value::as_str).is_some_and(is_dropped);
    (!dropped).then(|| Entity { kind: name.into(), fields, hosts: vec![] })
}

fn field_value(cell: &Cell) -> Option<Value> {
    let text = cell.to_text();
    match cell {
        Cell::Bool(b) => Some(Value::Bool(*b)),
        _ if text.trim().is_empty() => None,
        _ => Some(text.into()),
    }
}

fn is_dropped(name: &str) -> bool {
    DROPPED_ACCOUNTS.iter().any(|dropped| dropped.eq_ignore_ascii_case(name.trim()))
}

/// The schema of entities knows no full names: `user@suffix`, `DOMAIN\user`, `host.domain` are taken apart.
fn split_full_name(kind: &str, fields: &mut Map<String, Value>) {
    let (base, domain, separator) = match kind {
        "Account" => ("Name", "UPNSuffix", '@'),
        "Host" => ("HostName", "DnsDomain", '.'),
        _ => return,
    };
    let Some(Value::String(full)) = fields.remove("FullName") else { return };
    let nonempty = |(a, b): &(&str, &str)| !a.is_empty() && !b.is_empty();
    let parts = match full.split_once('\\').filter(nonempty) {
        Some((domain, name)) => vec![(base, name), ("NTDomain", domain)],
        None => match full.split_once(separator).filter(nonempty) {
            Some((name, suffix)) => vec![(base, name), (domain, suffix)],
            None => vec![(base, full.as_str())],
        },
    };
    for (key, value) in parts {
        fields.entry(key).or_insert_with(|| value.into());
    }
}

/// Entities that a column holds as JSON: a list of them, or one. References between them are written out.
fn given_entities(text: &str) -> Vec<Entity> {
    let Ok(value) = serde_json::from_str::<Value>(&json::standard(text)) else { return vec![] };
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let read = |item: &Value| {
        let Value::Object(map) = written_out(item, &items, 0) else { return None };
        let mut fields = map;
        let kind = fields.remove("Type").and_then(|kind| kind.as_str().map(str::to_string))?;
        let name = KINDS.iter().find(|known| known.json == kind).map_or(kind, |known| known.name.to_string());
        Some(Entity { kind: name, fields, hosts: vec![] })
    };
    items.iter().filter_map(read).collect()
}

/// A value without `$id`s, a `$ref` replaced by the item that it names.
fn written_out(value: &Value, items: &[Value], depth: usize) -> Value {
    if depth > DEPTH_LIMIT {
        return Value::Null;
    }
    let id = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_string);
    match value {
        Value::Array(list) => list.iter().map(|item| written_out(item, items, depth + 1)).collect(),
        Value::Object(map) => {
            let named =
                id(value, "$ref").and_then(|wanted| items.iter().find(|item| id(item, "$id") == Some(wanted.clone())));
            if let (Some(named), 1) = (named, map.len()) {
                return written_out(named, items, depth + 1);
            }
            let kept = map.iter().filter(|(key, _)| *key != "$id");
            Value::Object(kept.map(|(key, item)| (key.clone(), written_out(item, items, depth + 1))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Kind;
    use std::sync::Arc;

    fn mapping(kind: &str, fields: &[(&str, &str)]) -> EntityMapping {
        serde_json::from_value(json!({"entityType": kind, "fieldMappings": fields.iter().map(|(identifier, column)|
            json!({"identifier": identifier, "columnName": column})).collect::<Vec<_>>()}))
        .unwrap()
    }

    fn entities(columns: &[&str], rows: &[&[&str]], mapped: &[EntityMapping]) -> Value {
        let schema = Schema::new(columns.iter().map(|name| (Arc::from(*name), Kind::String)).collect());
        let rows: Vec<Vec<Cell>> =
            rows.iter().map(|row| row.iter().map(|text| Cell::string(*text)).collect()).collect();
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        Entities::of_rows(&schema, &rows, mapped, &[]).to_json()
    }

    #[test]
    fn full_names_are_taken_apart() {
        let account = [mapping("account", &[("FullName", "U")])];
        let of = |name: &str| entities(&["U"], &[&[name]], &account)[0].clone();
        assert_eq!(of("al@x.org"), json!({"$id": "1", "Name": "al", "UPNSuffix": "x.org", "Type": "account"}));
        assert_eq!(of("DOM\\al"), json!({"$id": "1", "Name": "al", "NTDomain": "DOM", "Type": "account"}));
        assert_eq!(of("al"), json!({"$id": "1", "Name": "al", "Type": "account"}));
        let host = [mapping("Host", &[("FullName", "U")])];
        let expected = json!([{"$id": "1", "HostName": "web", "DnsDomain": "x.org", "Type": "host"}]);
        assert_eq!(entities(&["U"], &[&["web.x.org"]], &host), expected);
    }

    #[test]
    fn an_entity_stands_once_and_only_with_an_identifier() {
        let mapped = [mapping("IP", &[("Address", "A")]), mapping("FileHash", &[("Algorithm", "B"), ("Value", "C")])];
        let rows: [&[&str]; 4] =
            [&["1.1.1.1", "MD5", ""], &["1.1.1.1", "MD5", "x"], &["", "", "x"], &["2.2.2.2", "", ""]];
        let expected = json!([
            {"$id": "1", "Address": "1.1.1.1", "Type": "ip"},
            {"$id": "2", "Algorithm": "MD5", "Value": "x", "Type": "filehash"},
            {"$id": "3", "Address": "2.2.2.2", "Type": "ip"},
        ]);
        assert_eq!(entities(&["A", "B", "C"], &rows, &mapped), expected);
        assert_eq!(entities(&["A"], &[&["x"]], &[mapping("IP", &[("Address", "Absent")])]), json!([]));
    }

    #[test]
    fn identifiers_are_known_in_any_case() {
        let expected = json!([{"$id": "1", "Sid": "S-1", "Type": "account"}]);
        assert_eq!(entities(&["U"], &[&["S-1"]], &[mapping("Account", &[("SID", "U")])]), expected);
    }

    #[test]
    fn accounts_that_say_nothing_are_dropped() {
        let mapped = [mapping("Account", &[("Name", "U")])];
        assert_eq!(entities(&["U"], &[&["system"], &["Root"], &["al"]], &mapped).as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_local_account_refers_to_its_host() {
        let mapped = [mapping("Account", &[("Name", "U")]), mapping("Host", &[("HostName", "H")])];
        let one = entities(&["U", "H"], &[&["al", "web"]], &mapped);
        assert_eq!(one[0], json!({"$id": "1", "Name": "al", "Host": {"$ref": "2"}, "Type": "account"}));
    }

    #[test]
    fn an_alert_carries_500_entities() {
        let rows: Vec<String> = (0..600).map(|n| format!("10.0.{}.{}", n / 256, n % 256)).collect();
        let rows: Vec<[&str; 1]> = rows.iter().map(|text| [text.as_str()]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|row| row.as_slice()).collect();
        assert_eq!(entities(&["A"], &rows, &[mapping("IP", &[("Address", "A")])]).as_array().unwrap().len(), 500);
    }

    #[test]
    fn entities_given_as_json_pass_through() {
        let text = r#"[{"$id":"7","HostName":"web","Type":"host"},{"$id":"8","Name":"al","Host":{"$ref":"7"},"Type":"account"}]"#;
        let schema = Schema::new(vec![("E".into(), Kind::Dynamic)]);
        let row = [Cell::dynamic(text)];
        let given = [EntitiesMapping { column_name: "E".into() }];
        let found = Entities::of_rows(&schema, &[&row, &row], &[], &given);
        let expected = json!([{"$id": "1", "HostName": "web", "Type": "host"},
            {"$id": "2", "Name": "al", "Host": {"HostName": "web", "Type": "host"}, "Type": "account"}]);
        assert_eq!(found.to_json(), expected);
        assert_eq!(found.list()[0].kind, "Host");
    }
}
