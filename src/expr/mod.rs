//! Typed expressions over the columns of a plan node.
mod each;
mod eval;
mod fingerprint;
mod fold;

pub use each::Each;
pub use eval::{Input, evaluate, select};
pub use fold::fold;

use crate::functions::{Purity, Scalar};
use crate::types::{Kind, Name, Value};

/// A node of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A scalar expression. The forms that are not functions evaluate some of their parts only for some rows.
#[derive(Clone, Debug)]
pub enum Expr {
    Column(Name, Kind),
    Const(Value),
    /// The first cell of a plan's result, computed once before its reader: `toscalar`.
    Late(NodeId, Kind),
    Call {
        function: &'static Scalar,
        arguments: Vec<Expr>,
        kind: Kind,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// The value of the first branch whose condition is true: `iff`, `case`.
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
        kind: Kind,
    },
    /// The first value that is not null (not empty, for string).
    Coalesce(Vec<Expr>, Kind),
    /// For each value of a field that has several: `mvmap`, `mvfilter`.
    Each(Box<Each>),
}

impl Expr {
    pub fn column(name: &Name, kind: Kind) -> Expr {
        Expr::Column(name.clone(), kind)
    }

    pub fn call(function: &'static Scalar, arguments: Vec<Expr>) -> Expr {
        let kinds: Vec<Kind> = arguments.iter().map(Expr::kind).collect();
        let constants: Vec<Option<&Value>> = arguments.iter().map(Expr::constant).collect();
        let kind = function.returns.kind(&kinds, &constants);
        Expr::Call { function, arguments, kind }
    }

    /// The value of a constant.
    fn constant(&self) -> Option<&Value> {
        if let Expr::Const(value) = self { Some(value) } else { None }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Expr::Column(_, kind) | Expr::Late(_, kind) | Expr::Coalesce(_, kind) => *kind,
            Expr::Call { kind, .. } | Expr::Case { kind, .. } => *kind,
            Expr::Const(value) => value.kind(),
            Expr::And(_) | Expr::Or(_) => Kind::Bool,
            Expr::Each(_) => Kind::Field,
        }
    }

    /// The parts, in order.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Column(..) | Expr::Const(_) | Expr::Late(..) => Vec::new(),
            Expr::Call { arguments, .. } => arguments.iter().collect(),
            Expr::And(parts) | Expr::Or(parts) | Expr::Coalesce(parts, _) => parts.iter().collect(),
            Expr::Case { branches, otherwise, .. } => {
                branches.iter().flat_map(|(c, v)| [c, v]).chain([&**otherwise]).collect()
            }
            // The body reads nothing of the rows but what is captured.
            Expr::Each(each) => std::iter::once(&each.values).chain(each.captured.iter().map(|(_, e)| e)).collect(),
        }
    }

    /// The same form with every part changed by `change`.
    pub fn map_children(self, change: &mut dyn FnMut(Expr) -> Expr) -> Expr {
        match self {
            Expr::Call { function, arguments, kind } => {
                Expr::Call { function, arguments: arguments.into_iter().map(change).collect(), kind }
            }
            Expr::And(parts) => Expr::And(parts.into_iter().map(change).collect()),
            Expr::Or(parts) => Expr::Or(parts.into_iter().map(change).collect()),
            Expr::Coalesce(parts, kind) => Expr::Coalesce(parts.into_iter().map(change).collect(), kind),
            Expr::Case { branches, otherwise, kind } => Expr::Case {
                branches: branches.into_iter().map(|(c, v)| (change(c), change(v))).collect(),
                otherwise: Box::new(change(*otherwise)),
                kind,
            },
            Expr::Each(each) => {
                let captured = each.captured.into_iter().map(|(name, e)| (name, change(e))).collect();
                Expr::Each(Box::new(Each { values: change(each.values), captured, ..*each }))
            }
            leaf => leaf,
        }
    }

    /// Calls `visit` on every part, the expression itself first.
    pub fn walk(&self, visit: &mut dyn FnMut(&Expr)) {
        visit(self);
        self.children().into_iter().for_each(|child| child.walk(visit));
    }

    /// The names of the columns read, each once, in order of first sight.
    pub fn columns(&self) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        self.walk(&mut |e| {
            if let Expr::Column(name, _) = e
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        });
        names
    }

    /// The weakest purity of any part.
    pub fn purity(&self) -> Purity {
        let mut weakest = Purity::Pure;
        self.walk(&mut |e| {
            let own = match e {
                Expr::Call { function, .. } => function.purity,
                Expr::Each(each) => each.body.purity(),
                _ => return,
            };
            weakest = match (weakest, own) {
                (Purity::PerRow, _) | (_, Purity::PerRow) => Purity::PerRow,
                (Purity::PerQuery, _) | (_, Purity::PerQuery) => Purity::PerQuery,
                _ => Purity::Pure,
            };
        });
        weakest
    }

    /// The plans whose results are read as values.
    pub fn late(&self) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        self.walk(&mut |e| {
            if let Expr::Late(node, _) = e {
                nodes.push(*node);
            }
        });
        nodes
    }

    /// A conjunction of both, flat.
    pub fn and(self, other: Expr) -> Expr {
        let parts = |e: Expr| match e {
            Expr::And(parts) => parts,
            other => vec![other],
        };
        let mut all = parts(self);
        all.extend(parts(other));
        Expr::And(all)
    }

    /// The expression with columns replaced where `replace` knows better.
    pub fn substitute(self, replace: &dyn Fn(&Name) -> Option<Expr>) -> Expr {
        match self {
            Expr::Column(name, kind) => replace(&name).unwrap_or(Expr::Column(name, kind)),
            other => other.map_children(&mut |child| child.substitute(replace)),
        }
    }

    /// The expression with what `replace` makes of each late value.
    pub fn map_late(self, replace: &mut dyn FnMut(NodeId, Kind) -> Expr) -> Expr {
        match self {
            Expr::Late(node, kind) => replace(node, kind),
            other => other.map_children(&mut |child| child.map_late(replace)),
        }
    }
}

impl std::fmt::Display for Expr {
    /// The expression as KQL would write it, for `explain`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |f: &mut std::fmt::Formatter<'_>, parts: &[Expr], between: &str| {
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    f.write_str(between)?;
                }
                write!(f, "{part}")?;
            }
            Ok(())
        };
        match self {
            Expr::Column(name, _) => f.write_str(name),
            Expr::Const(Value::Text(Kind::String, text)) => write!(f, "{text:?}"),
            Expr::Const(value) if value.is_null() => f.write_str("null"),
            Expr::Const(value) => f.write_str(&shortened(&value.to_text())),
            Expr::Late(node, _) => write!(f, "toscalar(#{})", node.0),
            Expr::Call { function, arguments, .. } => match arguments.as_slice() {
                [left, right]
                    if !function.name.starts_with(|c: char| c.is_ascii_lowercase()) || is_infix(function.name) =>
                {
                    write!(f, "{left} {} {right}", function.name)
                }
                _ => {
                    write!(f, "{}(", function.name)?;
                    list(f, arguments, ", ")?;
                    f.write_str(")")
                }
            },
            Expr::And(parts) => list(f, parts, " and "),
            Expr::Or(parts) => {
                f.write_str("(")?;
                list(f, parts, " or ")?;
                f.write_str(")")
            }
            Expr::Case { branches, otherwise, .. } => {
                f.write_str("case(")?;
                for (condition, value) in branches {
                    write!(f, "{condition}, {value}, ")?;
                }
                write!(f, "{otherwise})")
            }
            Expr::Coalesce(parts, _) => {
                f.write_str("coalesce(")?;
                list(f, parts, ", ")?;
                f.write_str(")")
            }
            Expr::Each(each) => {
                let name = if each.filters { "mvfilter" } else { "mvmap" };
                write!(f, "{name}({}, {})", each.values, each.body)
            }
        }
    }
}

fn is_infix(name: &str) -> bool {
    ["has", "contains", "startswith", "endswith", "in", "matches"].iter().any(|p| name.starts_with(p))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
