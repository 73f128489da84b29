//! The app's lookups as watchlists.
use crate::engine::{Data, Held};
use crate::types::{Kind, Schema, Table};
use std::sync::Arc;

/// A watchlist without rows.
pub fn nothing() -> Data {
    let schema = Schema::from_iter([("SearchKey", Kind::String)]);
    Data::Table(Arc::new(Held::new(Table::from_rows(schema, &[]))))
}
