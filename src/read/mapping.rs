//! How the fields of other products' exports become the columns of Log Analytics tables.
//!
//! Facts: Entra's diagnostic settings, Splunk's add-ons and its Common Information Model.

/// A Splunk sourcetype (`*` ends a prefix), the table whose events it holds, and the constants it stands for.
struct Sourcetype {
    name: &'static str,
    table: &'static str,
    constants: &'static [(&'static str, &'static str)],
}

const SOURCETYPES: &[Sourcetype] = &[
    Sourcetype { name: "azure:monitor:aad", table: "SigninLogs", constants: &[] },
    Sourcetype { name: "ms:aad:signin", table: "SigninLogs", constants: &[] },
    Sourcetype { name: "o365:management:activity", table: "OfficeActivity", constants: &[] },
    Sourcetype {
        name: "zscalernss-web",
        table: "CommonSecurityLog",
        constants: &[("DeviceVendor", "Zscaler"), ("DeviceProduct", "NSSWeblog")],
    },
    Sourcetype {
        name: "zscalerlss-zpa*",
        table: "CommonSecurityLog",
        constants: &[("DeviceVendor", "Zscaler"), ("DeviceProduct", "ZPA")],
    },
    Sourcetype { name: "ms:iis:*", table: "W3CIISLog", constants: &[] },
    Sourcetype { name: "iis", table: "W3CIISLog", constants: &[] },
];

/// Categories of Entra's diagnostic records, and their tables.
const CATEGORIES: &[(&str, &str)] = &[
    ("SignInLogs", "SigninLogs"),
    ("NonInteractiveUserSignInLogs", "AADNonInteractiveUserSignInLogs"),
    ("ServicePrincipalSignInLogs", "AADServicePrincipalSignInLogs"),
    ("ManagedIdentitySignInLogs", "AADManagedIdentitySignInLogs"),
    ("ADFSSignInLogs", "ADFSSignInLogs"),
    ("AuditLogs", "AuditLogs"),
    ("ProvisioningLogs", "AADProvisioningLogs"),
    ("RiskyUsers", "AADRiskyUsers"),
    ("UserRiskEvents", "AADUserRiskEvents"),
];

/// Fields of a column, the best first; a path's parts are parted by dots.
const FIELDS: &[(&str, &str, &[&str])] = &[
    ("SigninLogs", "IPAddress", &["callerIpAddress", "properties.ipAddress", "src_ip", "src"]),
    ("SigninLogs", "UserPrincipalName", &["properties.userPrincipalName", "user"]),
    ("SigninLogs", "ResultType", &["resultType", "properties.status.errorCode"]),
    ("SigninLogs", "ResultDescription", &["resultDescription", "properties.status.failureReason", "reason"]),
    ("SigninLogs", "AppDisplayName", &["properties.appDisplayName", "app"]),
    ("SigninLogs", "Location", &["location", "properties.location.countryOrRegion"]),
    ("SigninLogs", "LocationDetails", &["properties.location"]),
    ("SigninLogs", "UserAgent", &["properties.userAgent", "user_agent"]),
    ("SigninLogs", "ConditionalAccessPolicies", &["properties.appliedConditionalAccessPolicies"]),
    ("SigninLogs", "AADTenantId", &["tenantId"]),
    ("CommonSecurityLog", "DeviceVendor", &["vendor"]),
    ("CommonSecurityLog", "DeviceProduct", &["product"]),
    ("CommonSecurityLog", "DeviceAction", &["ConnectionStatus", "action", "InternalReason"]),
    ("CommonSecurityLog", "SourceUserName", &["Username", "login", "user", "suser"]),
    ("CommonSecurityLog", "SourceIP", &["ClientPublicIP", "ClientIP", "cip", "cltip", "src_ip", "src"]),
    ("CommonSecurityLog", "DestinationIP", &["serverip", "ServerIP", "sip", "dest_ip", "dst"]),
    ("CommonSecurityLog", "DestinationPort", &["ServicePort", "dest_port"]),
    ("CommonSecurityLog", "DestinationHostName", &["hostname", "Host", "ehost", "dest_host", "dest"]),
    ("CommonSecurityLog", "RequestURL", &["url", "eurl"]),
    ("CommonSecurityLog", "RequestMethod", &["requestmethod", "reqmethod", "http_method"]),
    ("CommonSecurityLog", "RequestClientApplication", &["useragent", "ua", "http_user_agent"]),
    ("CommonSecurityLog", "SentBytes", &["requestsize", "reqsize", "bytes_out"]),
    ("CommonSecurityLog", "ReceivedBytes", &["responsesize", "respsize", "bytes_in"]),
    ("CommonSecurityLog", "DeviceCustomString5", &["threatname", "signature"]),
    ("W3CIISLog", "cIP", &["c_ip", "src"]),
    ("W3CIISLog", "csUserName", &["cs_username", "user"]),
    ("W3CIISLog", "scStatus", &["sc_status", "status"]),
    ("W3CIISLog", "scSubStatus", &["sc_substatus"]),
    ("W3CIISLog", "scWin32Status", &["sc_win32_status"]),
    ("W3CIISLog", "sIP", &["s_ip", "dest_ip", "dest"]),
    ("W3CIISLog", "sPort", &["s_port", "dest_port"]),
    ("W3CIISLog", "Computer", &["s_computername", "dvc", "host"]),
    ("W3CIISLog", "sSiteName", &["s_sitename", "site"]),
    ("W3CIISLog", "csMethod", &["cs_method", "http_method"]),
    ("W3CIISLog", "csUriStem", &["cs_uri_stem", "uri_path"]),
    ("W3CIISLog", "csUriQuery", &["cs_uri_query", "uri_query"]),
    ("W3CIISLog", "csUserAgent", &["cs_User_Agent", "http_user_agent"]),
    ("W3CIISLog", "csReferer", &["cs_Referer", "http_referrer"]),
    ("W3CIISLog", "csHost", &["cs_host"]),
    ("W3CIISLog", "scBytes", &["sc_bytes", "bytes_out"]),
    ("W3CIISLog", "csBytes", &["cs_bytes", "bytes_in"]),
    ("W3CIISLog", "TimeTaken", &["time_taken", "response_time"]),
    ("AuditLogs", "Category", &["properties.category"]),
    ("AuditLogs", "AADOperationType", &["properties.operationType"]),
    ("OfficeActivity", "Operation", &["command"]),
    ("OfficeActivity", "OfficeWorkload", &["Workload"]),
    ("OfficeActivity", "OfficeObjectId", &["ObjectId"]),
    ("OfficeActivity", "Site_Url", &["SiteUrl"]),
    ("OfficeActivity", "OfficeId", &["Id"]),
    ("OfficeActivity", "UserId", &["user"]),
    ("OfficeActivity", "ClientIP", &["ClientIPAddress", "src"]),
];

/// Fields of the time of any event, the best first.
const TIMES: &[&str] = &[
    "LogTimestamp",
    "CreationTime",
    "time",
    "datetime",
    "properties.createdDateTime",
    "properties.activityDateTime",
    "_time",
    "timestamp",
];

/// The fields that a column of a table is read from, the best first.
pub fn fields(table: &str, column: &str) -> Vec<String> {
    // The tables of other sign-ins have the columns of this one.
    let like = if table.ends_with("SignInLogs") { "SigninLogs" } else { table };
    let own = FIELDS.iter().find(|(of, name, _)| *of == like && *name == column).map(|(.., fields)| *fields);
    let others = own.unwrap_or(if column == "TimeGenerated" { TIMES } else { &[] });
    // A record's own `category` tells its table.
    let same_name = (like, column) != ("AuditLogs", "Category");
    let mut all: Vec<String> = same_name.then(|| column.to_owned()).into_iter().collect();
    all.extend(others.iter().map(|field| field.to_string()));
    // A column with fields of its own may be an object of the same name there: `properties.location`.
    if own.is_none() {
        all.push(format!("properties.{column}"));
    }
    all
}

/// A field's name as it is compared: without regard to case. Splunk gives every event a `host`, the machine that sent
/// it; an event's own `Host` is another field.
pub fn folded(field: &[u8]) -> Vec<u8> {
    if field == b"Host" { field.to_vec() } else { field.to_ascii_lowercase() }
}

/// The table of a sourcetype's events.
pub fn table_of_sourcetype(name: &str) -> Option<&'static str> {
    sourcetype(name).map(|known| known.table)
}

/// What a sourcetype's events say by being of it.
pub fn constants(name: &str) -> &'static [(&'static str, &'static str)] {
    sourcetype(name).map(|known| known.constants).unwrap_or_default()
}

fn sourcetype(name: &str) -> Option<&'static Sourcetype> {
    SOURCETYPES.iter().find(|known| match known.name.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == known.name,
    })
}

/// The table of a category of diagnostic records.
pub fn table_of_category(category: &str) -> Option<&'static str> {
    CATEGORIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(category)).map(|(_, table)| *table)
}
