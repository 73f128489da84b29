//! A text that tells expressions apart: what is computed of one is found again under it.
use super::Expr;
use crate::types::{Kind, Value};
use foldhash::fast::RandomState;
use std::fmt::Write;
use std::hash::BuildHasher;
use std::sync::LazyLock;

/// Longer texts than this are told apart by two hashes of 64 bits, keyed anew in each process.
const LONG: usize = 256;

impl Expr {
    /// The same for equal expressions, within a process.
    pub fn fingerprint(&self) -> String {
        let mut out = String::new();
        write(self, &mut out);
        out
    }
}

fn write(expr: &Expr, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match expr {
        Expr::Const(Value::Text(kind, text)) if text.len() > LONG => {
            out.push_str(&long(*kind, text));
            Ok(())
        }
        Expr::Column(..) | Expr::Const(_) | Expr::Late(..) => write!(out, "{expr:?}"),
        Expr::Call { function, arguments, kind } => {
            // Overloads of a name are items of their own.
            let item = std::ptr::from_ref::<crate::functions::Scalar>(function);
            let _ = write!(out, "{}@{item:p}:{kind}", function.name);
            parts(arguments.iter(), out);
            Ok(())
        }
        Expr::And(all) => named("and", all.iter(), out),
        Expr::Or(any) => named("or", any.iter(), out),
        Expr::Coalesce(all, kind) => {
            let _ = write!(out, "{kind}");
            named("coalesce", all.iter(), out)
        }
        Expr::Case { branches, otherwise, kind } => {
            let _ = write!(out, "{kind}");
            named("case", branches.iter().flat_map(|(c, v)| [c, v]).chain([&**otherwise]), out)
        }
        Expr::Each(each) => {
            let names: Vec<_> = each.captured.iter().map(|(name, _)| name).collect();
            let _ = write!(out, "{}:{:?}:{names:?}", each.filters, each.item);
            let captured = each.captured.iter().map(|(_, expr)| expr);
            named("each", [&each.values, &each.body].into_iter().chain(captured), out)
        }
    };
}

fn named<'a>(name: &str, all: impl Iterator<Item = &'a Expr>, out: &mut String) -> std::fmt::Result {
    out.push_str(name);
    parts(all, out);
    Ok(())
}

fn parts<'a>(all: impl Iterator<Item = &'a Expr>, out: &mut String) {
    out.push('(');
    for part in all {
        write(part, out);
        out.push(',');
    }
    out.push(')');
}

fn long(kind: Kind, text: &str) -> String {
    static HASHERS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::default(), RandomState::default()]);
    let [one, other] = HASHERS.each_ref().map(|hasher| hasher.hash_one(text));
    format!("{kind}#{}:{one:016x}{other:016x}", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_expressions_share_a_fingerprint() {
        let text = |text: &str| Expr::Const(Value::string(text));
        let long = "x".repeat(LONG + 1);
        let all = [
            text("a"),
            text("b"),
            text(&long),
            text(&format!("{long}x")),
            Expr::Const(Value::dynamic(long.as_str())),
            Expr::And(vec![text("a"), text("b")]),
            Expr::Or(vec![text("a"), text("b")]),
            Expr::Coalesce(vec![text("a"), text("b")], Kind::String),
            Expr::Column("a".into(), Kind::String),
            Expr::Column("a".into(), Kind::Dynamic),
        ];
        let prints: std::collections::HashSet<String> = all.iter().map(Expr::fingerprint).collect();
        assert_eq!(prints.len(), all.len());
        assert!(all.iter().all(|expr| prints.contains(&expr.clone().fingerprint())));
    }
}
