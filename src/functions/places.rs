//! Where addresses are: asked of a database that the user supplies.
use super::Context;
use super::row::{each, text_of};
use crate::diagnostic::{Fault, Result};
use crate::types::json::Writer;
use crate::types::{Column, Kind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A place; names that are not known are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    pub country: String,
    pub state: String,
    pub city: String,
    /// Latitude and longitude in degrees.
    pub coordinates: Option<(f64, f64)>,
}

/// A database of the places of addresses.
pub trait Places: std::fmt::Debug + Send + Sync {
    /// The place of an address; none where the database has none.
    ///
    /// # Errors
    /// What is wrong with the database.
    fn find(&self, address: IpAddr) -> Result<Option<Place>>;
}

/// Whether an address is of no place: private, local, or of no host.
fn is_nowhere(address: IpAddr) -> bool {
    let v4 = |a: Ipv4Addr| {
        a.is_private()
            || a.is_loopback()
            || a.is_link_local()
            || a.is_unspecified()
            || a.is_broadcast()
            || a.is_multicast()
    };
    let v6 = |a: Ipv6Addr| {
        a.is_loopback() || a.is_unspecified() || a.is_multicast() || a.is_unique_local() || a.is_unicast_link_local()
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| v6(address), v4),
    }
}

fn described(place: &Place) -> String {
    let mut writer = Writer::with_capacity(128);
    writer.begin_bag();
    for (name, value) in [("country", &place.country), ("state", &place.state), ("city", &place.city)] {
        writer.key(name).string(value);
    }
    for (name, value) in [("latitude", place.coordinates.map(|c| c.0)), ("longitude", place.coordinates.map(|c| c.1))] {
        match value {
            Some(degrees) => writer.key(name).real(degrees),
            None => writer.key(name).null(),
        };
    }
    writer.end_bag();
    writer.finish()
}

fn geo_info(context: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let address = args.first().ok_or_else(|| Fault::internal("a place of nothing"))?;
    each(Kind::Dynamic, args, rows, |row, out| {
        let text = text_of(address, row);
        let place = match (text.trim().parse::<IpAddr>(), &context.places) {
            (Err(_), _) => None,
            (Ok(address), Some(places)) => places.find(address)?,
            (Ok(address), None) if is_nowhere(address) => None,
            (Ok(_), None) => return Err(missing()),
        };
        match place {
            Some(place) => out.push_text(&described(&place)),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn missing() -> Fault {
    let fault = Fault::query("HP142", "geo_info_from_ip_address() needs a database of the places of addresses");
    fault.help("give a MaxMind-format file, such as GeoLite2-City.mmdb, as `geoip=` or with `--geoip`")
}

crate::kernels! {
    /// Where an IP address is, as a bag: country, state, city, latitude and longitude. Null for a text that is no
    /// address, and for an address of no known place.
    ///
    /// The places are those of the database given as `geoip=` or with `--geoip`: a file in MaxMind's format, such as
    /// GeoLite2-City, which Kusto uses. Without one only private and local addresses have an answer, and others are an
    /// error.
    ///
    /// Source: geo-info-from-ip-address-function.
    ///
    /// ```kql
    /// geo_info_from_ip_address("no address") // null
    /// geo_info_from_ip_address("192.168.1.20") // null
    /// ```
    kql fn geo_info_from_ip_address (address: Any) -> Kind(Kind::Dynamic) = geo_info;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Sydney;

    impl Places for Sydney {
        fn find(&self, address: IpAddr) -> Result<Option<Place>> {
            let place = Place { country: "Australia".into(), coordinates: Some((-33.5, 151.0)), ..Place::default() };
            Ok((address == IpAddr::from([20, 53, 203, 50])).then_some(place))
        }
    }

    fn ask(address: &str, places: Option<Arc<dyn Places>>) -> Result<Value> {
        let context = Context::new(0, super::super::Limits::default(), Arc::default()).with_places(places);
        geo_info(&context, &[Column::Const(Value::string(address), 1)], 1).map(|column| column.value(0))
    }

    #[test]
    fn a_known_address_has_a_place() {
        let place = ask("20.53.203.50", Some(Arc::new(Sydney))).unwrap();
        let expected = r#"{"country":"Australia","state":"","city":"","latitude":-33.5,"longitude":151.0}"#;
        assert_eq!(place, Value::dynamic(expected));
        assert!(ask("1.1.1.1", Some(Arc::new(Sydney))).unwrap().is_null());
    }

    #[test]
    fn without_a_database_only_local_addresses_are_known_to_have_none() {
        for address in ["10.1.2.3", "::1", "fe80::1", "::ffff:127.0.0.1", "", "x"] {
            assert!(ask(address, None).unwrap().is_null(), "{address}");
        }
        assert!(ask("8.8.8.8", None).is_err() && ask("2a03:2880::1", None).is_err());
    }
}
