//! Functions whose answers are data of Microsoft's services, which nothing here stands for: a call that would
//! need them is an error, never a null.
use super::Context;
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Kind};
use std::net::IpAddr;

fn geo_info(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let is_address = |row| {
        let text = args.first().and_then(|address| address.text(row));
        text.is_some_and(|text| text.trim().parse::<IpAddr>().is_ok())
    };
    match (0..rows).any(is_address) {
        true => Err(missing("geo_info_from_ip_address", "a database of places of addresses")),
        false => Ok(Column::nulls(Kind::Dynamic, rows)),
    }
}

fn user_agent(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    match rows {
        0 => Ok(Column::nulls(Kind::Dynamic, 0)),
        _ => Err(missing("parse_user_agent", "the patterns of user agents")),
    }
}

fn missing(function: &str, what: &str) -> Fault {
    Fault::query("HP120", format!("the function '{function}' needs {what}, which huntpack does not have yet"))
}

crate::kernels! {
    /// Where an IP address is: country, state, city, latitude and longitude; null for a text that is no address.
    ///
    /// No database of places is part of huntpack: the call of an address is an error.
    ///
    /// Source: geo-info-from-ip-address-function.
    ///
    /// ```kql
    /// geo_info_from_ip_address("no address") // null
    /// ```
    kql fn geo_info_from_ip_address (address: String) -> Kind(Kind::Dynamic) = geo_info;

    /// Browser, operating system and device that a user agent names.
    ///
    /// No list of user agents is part of huntpack: the call on a row is an error.
    ///
    /// Source: parse-user-agent-function.
    ///
    /// ```kql
    /// range x from 2 to 1 step 1 | extend device = parse_user_agent("", "device") | count // 0
    /// ```
    kql fn parse_user_agent (text: String, parts: Any) -> Kind(Kind::Dynamic) = user_agent;
}
