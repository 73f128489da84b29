//! The H3 cells whose centres lie in a polygon, in the order of H3's own filling.
//!
//! Starting with the cells along the rings, the neighbours of every found cell are tried, until no new one lies in the
//! polygon. What is found is kept in a hash table of an estimated size, and listed as it stands there.
use super::cell_at;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::geo::geojson::Rings;
use crate::functions::geo::sphere::Place;
use h3o::{CellIndex, LatLng, Resolution};
use std::collections::{BTreeMap, HashSet};

/// How many cells a polygon may have.
const MOST_CELLS: usize = 61_680;

/// Slots that the table has beyond the estimate.
const SPARE: u64 = 12;

/// The tokens of the cells of all polygons. None where a ring is no ring, and where there are too many cells.
pub fn fill(polygons: &[Rings], resolution: Resolution, context: &Context) -> Result<Option<Vec<String>>> {
    let mut tokens = Vec::new();
    for rings in polygons {
        let Some(flat) = Flat::new(rings) else { return Ok(None) };
        let Some(cells) = cells(&flat, resolution, context)? else { return Ok(None) };
        tokens.extend(cells.map(|cell| cell.to_string()));
        if tokens.len() > MOST_CELLS {
            return Ok(None);
        }
    }
    Ok(Some(tokens))
}

fn cells(flat: &Flat, resolution: Resolution, context: &Context) -> Result<Option<impl Iterator<Item = CellIndex>>> {
    let Some(size) = flat.slots(resolution) else { return Ok(None) };
    let mut table = Table { size, slots: BTreeMap::new() };
    let Some(mut search) = flat.trace(resolution, context)? else { return Ok(None) };
    while !search.is_empty() {
        context.check()?;
        let mut found = Vec::new();
        for cell in search.into_iter().flat_map(|cell| cell.grid_disk::<Vec<_>>(1)) {
            if let Some(slot) = table.free(cell)
                && flat.contains(LatLng::from(cell))
            {
                table.slots.insert(slot, cell);
                found.push(cell);
            }
        }
        if table.slots.len() > MOST_CELLS {
            return Ok(None);
        }
        search = found;
    }
    Ok(Some(table.slots.into_values()))
}

/// A hash table that gives a cell the first free slot from its own on.
struct Table {
    size: u64,
    slots: BTreeMap<u64, CellIndex>,
}

impl Table {
    /// The slot for a cell; none where it is in the table.
    fn free(&self, cell: CellIndex) -> Option<u64> {
        let mut slot = u64::from(cell) % self.size;
        while let Some(other) = self.slots.get(&slot) {
            if *other == cell {
                return None;
            }
            slot = (slot + 1) % self.size;
        }
        Some(slot)
    }
}

/// A polygon on the map, in radians: rings of (longitude, latitude), the first not repeated at the end.
struct Flat {
    rings: Vec<Vec<(f64, f64)>>,
    /// It spans the line of 180 degrees: western longitudes count on beyond it.
    goes_round: bool,
}

impl Flat {
    fn new(rings: &Rings) -> Option<Flat> {
        let radians = |place: &Place| (place.longitude.to_radians(), place.latitude.to_radians());
        let open = |ring: &Vec<Place>| {
            let (last, corners) = ring.split_last()?;
            (corners.len() >= 3 && corners.first() == Some(last)).then(|| corners.iter().map(radians).collect())
        };
        let rings: Vec<Vec<(f64, f64)>> = rings.iter().map(open).collect::<Option<_>>()?;
        let outer = rings.first()?;
        let goes_round = edges(outer).any(|(from, to)| (from.0 - to.0).abs() > std::f64::consts::PI);
        Some(Flat { rings, goes_round })
    }

    fn longitude(&self, longitude: f64) -> f64 {
        if self.goes_round && longitude < 0.0 { longitude + std::f64::consts::TAU } else { longitude }
    }

    fn contains(&self, point: LatLng) -> bool {
        let (longitude, latitude) = (self.longitude(point.lng_radians()), point.lat_radians());
        let is_east = |from: (f64, f64), to: (f64, f64)| {
            let (start, end) = (self.longitude(from.0), self.longitude(to.0));
            start + (end - start) * (latitude - from.1) / (to.1 - from.1) > longitude
        };
        let crosses =
            |(from, to): &((f64, f64), (f64, f64))| (from.1 > latitude) != (to.1 > latitude) && is_east(*from, *to);
        self.rings.iter().flat_map(|ring| edges(ring)).filter(crosses).count() % 2 == 1
    }

    /// How many slots the table has: an estimate from the diagonal of the box around the outer ring. None where the
    /// box is flat.
    fn slots(&self, resolution: Resolution) -> Option<u64> {
        let outer = self.rings.first()?;
        let (south, north) = bounds(outer.iter().map(|corner| corner.1));
        let longitudes = || outer.iter().map(|corner| corner.0);
        let (west, east) = match self.goes_round {
            true => (bounds(longitudes().filter(|l| *l > 0.0)).0, bounds(longitudes().filter(|l| *l < 0.0)).1),
            false => bounds(longitudes()),
        };
        let (across, along) = ((east - west).abs(), (north - south).abs());
        let diagonal = LatLng::from_radians(north, east).ok()?.distance_rads(LatLng::from_radians(south, west).ok()?);
        let ratio = across.max(along) / across.min(along);
        let radius = radius(resolution)?;
        // The least area of a cell, that of a pentagon, as a regular hexagon less a fifth.
        let least = 0.8 * (2.598_076_211_35 * radius * radius);
        let estimate = (diagonal * diagonal / ratio.min(3.0) / least).ceil();
        let corners = self.rings.iter().map(Vec::len).sum::<usize>() as u64;
        (ratio.is_finite() && estimate.is_finite()).then(|| (estimate as u64).max(1).max(corners) + SPARE)
    }

    /// The cells along the rings, each once. None where they are so many that too many lie inside.
    fn trace(&self, resolution: Resolution, context: &Context) -> Result<Option<Vec<CellIndex>>> {
        let (mut cells, mut seen) = (Vec::new(), HashSet::new());
        let width = 2.0 * radius(resolution).unwrap_or(1.0);
        for (from, to) in self.rings.iter().flat_map(|ring| edges(ring)) {
            let (Ok(start), Ok(end)) = (LatLng::from_radians(from.1, from.0), LatLng::from_radians(to.1, to.0)) else {
                continue;
            };
            let steps = (start.distance_rads(end) / width).ceil().max(1.0) as u64;
            for step in 0..steps {
                if step % 4096 == 4095 {
                    context.check()?;
                    if cells.len() > 8 * MOST_CELLS {
                        return Ok(None);
                    }
                }
                let mix =
                    |from: f64, to: f64| from * (steps - step) as f64 / steps as f64 + to * step as f64 / steps as f64;
                let (longitude, latitude) = (mix(from.0, to.0).to_degrees(), mix(from.1, to.1).to_degrees());
                cells.extend(cell_at(Place { longitude, latitude }, resolution).filter(|cell| seen.insert(*cell)));
            }
        }
        Ok(Some(cells))
    }
}

/// The radius of a resolution's first pentagon, in radians.
fn radius(resolution: Resolution) -> Option<f64> {
    let pentagon = resolution.pentagons().next()?;
    Some(LatLng::from(pentagon).distance_rads(*pentagon.boundary().first()?))
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
}

fn edges(ring: &[(f64, f64)]) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}
