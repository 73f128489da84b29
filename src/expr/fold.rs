//! Constant folding.
use super::Expr;
use crate::functions::{Context, Purity};
use crate::types::{Column, Kind, Value};

/// The expression with every part computed that depends on no row. A part whose computation fails is
/// left as it is: its fault counts only where a row selects it.
pub fn fold(expr: Expr, context: &Context) -> Expr {
    let expr = expr.map_children(&mut |child| fold(child, context));
    match expr {
        Expr::Call { function, ref arguments, kind } if function.purity != Purity::PerRow => {
            let constants: Option<Vec<Column>> = arguments
                .iter()
                .map(|a| if let Expr::Const(value) = a { Some(Column::Const(value.clone(), 1)) } else { None })
                .collect();
            match constants.map(|c| (function.kernel)(context, &c, 1)) {
                Some(Ok(column)) if column.len() == 1 && column.kind() == kind => Expr::Const(column.value(0)),
                _ => expr,
            }
        }
        Expr::And(parts) => junction(parts, false),
        Expr::Or(parts) => junction(parts, true),
        Expr::Case { branches, otherwise, kind } => case(branches, *otherwise, kind),
        other => other,
    }
}

/// `and` (decided by false) or `or` (decided by true), flat and without what decides nothing.
fn junction(parts: Vec<Expr>, decisive: bool) -> Expr {
    let rebuild = if decisive { Expr::Or } else { Expr::And };
    let mut kept = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Expr::Const(Value::Bool(b)) if b == decisive => return Expr::Const(Value::Bool(decisive)),
            Expr::Const(Value::Bool(_)) => {}
            Expr::And(inner) if !decisive => kept.extend(inner),
            Expr::Or(inner) if decisive => kept.extend(inner),
            other => kept.push(other),
        }
    }
    match kept.len() {
        0 => Expr::Const(Value::Bool(!decisive)),
        1 => kept.remove(0),
        _ => rebuild(kept),
    }
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr, kind: Kind) -> Expr {
    let mut kept = Vec::with_capacity(branches.len());
    for (condition, value) in branches {
        match condition {
            Expr::Const(Value::Bool(true)) => {
                return if kept.is_empty() {
                    value
                } else {
                    Expr::Case { branches: kept, otherwise: Box::new(value), kind }
                };
            }
            Expr::Const(_) => {}
            condition => kept.push((condition, value)),
        }
    }
    match kept.is_empty() {
        true => otherwise,
        false => Expr::Case { branches: kept, otherwise: Box::new(otherwise), kind },
    }
}
