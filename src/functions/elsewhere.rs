//! What Microsoft's service knows of a query's surroundings: the database, the cluster, who runs the query. Here
//! there is one nameless database and no sign-in, and the answers say so.
use super::Context;
use super::row::{GuidOut, JsonOut};
use crate::diagnostic::{Diagnostic, Fault, FaultKind, Result, Span};
use crate::types::{Column, Kind, Value, datetime};

fn is_member(_: &Context, _: &[Column], rows: usize) -> Result<Column> {
    Ok(Column::Const(Value::Bool(false), rows))
}

/// Holds for no rows at all: there is nothing to ask.
fn asked(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    if rows == 0 {
        return Ok(Column::Const(Value::Bool(true), 0));
    }
    let name = args.first().map(|name| name.value(0).to_text()).unwrap_or_default();
    let place = |at: usize| args.get(at).and_then(|place| u32::try_from(place.value(0).as_long()?).ok());
    let said = Diagnostic::error("KS211", format!("the function '{name}' asks Microsoft Defender, and is not given"));
    let said = said.help(format!("give what it answers with functions={{\"{name}\": \"(T:(*), …) {{ T | … }}\"}}"));
    let said = match (place(1), place(2)) {
        (Some(start), Some(end)) => said.at(Span { start, end }),
        _ => said,
    };
    Err(Fault::new(FaultKind::Query, vec![said]))
}

crate::scalars! {
    /// The name of the database in scope: that of a server's only database, as nothing here names one.
    ///
    /// Source: current-database-function.
    ///
    /// ```kql
    /// current_database() // NetDefaultDB
    /// ```
    kql fn current_database () -> &'static str { "NetDefaultDB" }

    /// The address of the cluster that runs the query, which is this machine.
    ///
    /// Source: current-cluster-endpoint-function.
    ///
    /// ```kql
    /// current_cluster_endpoint() // localhost
    /// ```
    kql fn current_cluster_endpoint () -> &'static str { "localhost" }

    /// The principal that runs the query: empty, as nobody signs in.
    ///
    /// Source: current-principal-function.
    ///
    /// ```kql
    /// current_principal() //
    /// ```
    kql fn current_principal () -> &'static str { "" }

    /// What is known of the principal that runs the query: null, as nobody signs in.
    ///
    /// Source: current-principal-details-function.
    ///
    /// ```kql
    /// current_principal_details() // null
    /// ```
    kql fn current_principal_details () -> Option<JsonOut> { None }

    /// The database's cursor: all that is there was ingested by now.
    ///
    /// Source: cursor-current.
    ///
    /// ```kql
    /// todatetime(cursor_current()) == now() // true
    /// ```
    kql #per_query fn cursor_current as [current_cursor] () with context -> String { datetime::format(context.now) }

    /// The identifier of the data shard that holds a row: all zeros, as no row lies in one.
    ///
    /// Source: extent-id-function.
    ///
    /// ```kql
    /// extent_id() // 00000000-0000-0000-0000-000000000000
    /// ```
    kql fn extent_id as [extentid] () -> GuidOut { GuidOut("00000000-0000-0000-0000-000000000000".to_owned()) }

    /// The tags of the data shard that holds a row: null, as no row lies in one.
    ///
    /// Source: extent-tags-function.
    ///
    /// ```kql
    /// extent_tags() // null
    /// ```
    kql fn extent_tags () -> Option<JsonOut> { None }
}

crate::kernels! {
    /// Whether the principal that runs the query is one of those given or a member of one: nobody signs in.
    ///
    /// Source: current-principal-is-member-of-function.
    ///
    /// ```kql
    /// current_principal_is_member_of('aaduser=user1@fabrikam.com') // false
    /// ```
    kql fn current_principal_is_member_of (group[repeats]: Any) -> Kind(Kind::Bool) = is_member;

    /// What a function of Microsoft Defender's stands for that nobody gave: over no rows nothing is asked. Where it
    /// stands in the query is told with it.
    ///
    /// Source: invoke-operator.
    ///
    /// ```kql
    /// datatable(Hash: string)[] | invoke FileProfile(Hash, 1000) | count // 0
    /// ```
    kql #per_row fn ".asked" (function: String, start[optional]: Integer, end[optional]: Integer) -> Kind(Kind::Bool) = asked;
}
