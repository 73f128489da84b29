//! Databases of the places of addresses, in MaxMind's format.
use crate::diagnostic::{Fault, Result};
use crate::functions::{Place, Places};
use maxminddb::{MaxMindDbError, Reader, geoip2};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A database, held in memory.
struct Atlas {
    path: PathBuf,
    reader: Reader<Vec<u8>>,
}

impl std::fmt::Debug for Atlas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "places of {}", self.path.display())
    }
}

/// Reads a database of places.
///
/// # Errors
/// A file that cannot be read, or is no such database.
pub fn open(path: &Path) -> Result<Arc<dyn Places>> {
    let bytes = std::fs::read(path).map_err(|error| {
        Fault::data("HP401", format!("cannot read the database of places {}: {error}", path.display()))
    })?;
    let reader = Reader::from_source(bytes).map_err(|error| broken(path, &error))?;
    Ok(Arc::new(Atlas { path: path.to_owned(), reader }))
}

fn broken(path: &Path, error: &MaxMindDbError) -> Fault {
    let fault = Fault::data("HP407", format!("{} is no database of places: {error}", path.display()));
    fault.help("a file in MaxMind's format is wanted, such as GeoLite2-City.mmdb")
}

impl Places for Atlas {
    fn find(&self, address: IpAddr) -> Result<Option<Place>> {
        // A database of short addresses knows nothing of long ones.
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        let found = self.reader.lookup(address).and_then(|entry| entry.decode::<geoip2::City>());
        let city = found.map_err(|error| broken(&self.path, &error))?;
        Ok(city.map(|city| place(&city)))
    }
}

/// English names, and the largest of the subdivisions that a place lies in.
fn place(city: &geoip2::City) -> Place {
    let name = |names: &geoip2::Names| names.english.unwrap_or_default().to_owned();
    Place {
        country: name(&city.country.names),
        state: city.subdivisions.first().map(|state| name(&state.names)).unwrap_or_default(),
        city: name(&city.city.names),
        coordinates: city.location.latitude.zip(city.location.longitude),
    }
}
