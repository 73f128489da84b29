//! `iplocation`: where addresses are.
use super::options::Options;
use super::whole;
use crate::diagnostic::{Fault, Result};
use crate::functions::{Context, Place};
use crate::plan::TableOperation;
use crate::spl::ast::Command;
use crate::spl::lower::{Lower, Lowering, Rows};
use crate::spl::parse::Reader;
use crate::types::field::{FieldBuilder, Number, values};
use crate::types::{Column, Kind, Name, Table};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The fields that are added.
const ADDED: [&str; 5] = ["City", "Country", "Region", "lat", "lon"];

fn lower(lowering: &mut Lowering, command: &Command, rows: Rows) -> Lower<Rows> {
    let mut reader = Reader::new(command);
    let known = ["prefix", "allfields", "lang"];
    let mut options = Options::read(&mut reader, &known)?;
    let field = reader.needed_field()?;
    options.read_more(&mut reader, &known)?;
    reader.finish()?;
    let prefix = options.text("prefix").unwrap_or_default();
    let added: Vec<Name> = ADDED.iter().map(|name| Name::from(format!("{prefix}{name}"))).collect();
    let mut schema = rows.schema.clone();
    added.iter().for_each(|name| schema.set(name.clone(), Kind::Field));
    let operation = Locations { field: field.text.as_str().into(), added };
    Ok(lowering.operation(&[&rows], Arc::new(operation), schema))
}

#[derive(Debug)]
struct Locations {
    field: Name,
    added: Vec<Name>,
}

impl TableOperation for Locations {
    fn name(&self) -> &str {
        "iplocation"
    }

    fn run(&self, context: &Context, inputs: &[Table]) -> Result<Table> {
        let Some(table) = inputs.first() else { return Ok(Table::default()) };
        let addresses = table.column_named(&self.field);
        let mut known: HashMap<String, Option<Place>> = HashMap::new();
        let mut builders: Vec<FieldBuilder> = ADDED.iter().map(|_| FieldBuilder::new(None, table.rows())).collect();
        for row in 0..table.rows() {
            let text = addresses.as_ref().and_then(|column| values(column, row).next().map(|text| text.into_owned()));
            let place = match text {
                Some(text) => match known.get(&text) {
                    Some(place) => place.clone(),
                    None => {
                        let place = located(context, &text)?;
                        known.insert(text, place.clone());
                        place
                    }
                },
                None => None,
            };
            builders.iter_mut().enumerate().for_each(|(at, builder)| push(builder, at, place.as_ref()));
        }
        let columns: Vec<Column> = builders.into_iter().map(|mut builder| builder.finish()).collect();
        Ok(whole::with_columns(table, self.added.iter().cloned().zip(columns).collect()))
    }
}

/// The place of a text that is an address.
fn located(context: &Context, text: &str) -> Result<Option<Place>> {
    let Ok(address) = text.trim().parse::<IpAddr>() else { return Ok(None) };
    match &context.places {
        Some(places) => places.find(address),
        None => {
            let fault = Fault::query("HP506", "`iplocation` needs a database of the places of addresses");
            Err(fault.help("give one in MaxMind's format: geoip=\"GeoLite2-City.mmdb\""))
        }
    }
}

fn push(builder: &mut FieldBuilder, at: usize, place: Option<&Place>) {
    let Some(place) = place else { return builder.push_null() };
    let degrees = place.coordinates;
    match (at, degrees) {
        (0, _) => builder.push_text(&place.city),
        (1, _) => builder.push_text(&place.country),
        (2, _) => builder.push_text(&place.state),
        (3, Some((latitude, _))) => builder.push_number(Number::Real(latitude)),
        (4, Some((_, longitude))) => builder.push_number(Number::Real(longitude)),
        _ => builder.push_null(),
    }
}

crate::command! {
    /// Where the addresses of a field are: `City`, `Country`, `Region`, `lat` and `lon`, with a prefix where one is given.
    ///
    /// The places come from a database in MaxMind's format that the caller gives. Of addresses that it does not know, and
    /// of other texts, nothing is added.
    ///
    /// Source: iplocation.
    ///
    /// ```spl
    /// | makeresults | eval ip="no address" | iplocation ip | fillnull value="nowhere" City | fields City // nowhere
    /// ```
    "iplocation": "iplocation [prefix=<text>] [allfields=<flag>] [lang=<code>] <field>" = Rows(lower);
}
