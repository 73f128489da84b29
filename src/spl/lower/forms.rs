//! Calls that are lowered by rules of their own, since they read more than the values of their arguments.
use super::build::absent;
use super::expressions::{condition, lowered, terms_of};
use super::{Lower, Rows};
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Each, Expr};
use crate::spl::ast::{Expression, ExpressionKind};
use crate::spl::expand::Script;
use crate::spl::parse::Reader;
use crate::types::{Kind, Name};

/// A call of its own rules, and its manual page.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// Markdown, as functions have it.
    pub docs: &'static str,
    lower: fn(&[Expression], &Rows, Span) -> Lower<Expr>,
}

impl Form {
    pub fn lowered(&self, arguments: &[Expression], rows: &Rows, span: Span) -> Lower<Expr> {
        (self.lower)(arguments, rows, span)
    }
}

/// The form of a name in lower case.
pub fn find(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name)
}

/// `mvmap(field, expression)`: the expression for each value of the field, which it reads under the field's name.
fn mapped(arguments: &[Expression], rows: &Rows, span: Span) -> Lower<Expr> {
    let [Expression { kind: ExpressionKind::Field(name), .. }, body] = arguments else {
        let said = Diagnostic::error("HP502", "`mvmap` takes a field and an expression of it").at(span);
        return Err(said.help("give the values a name first: eval values=...").into());
    };
    let made = lowered(body, rows)?;
    if made.kind() == Kind::Bool {
        return Err(Diagnostic::error("HP505", "a condition is no value: `mvfilter` takes one").at(body.span).into());
    }
    Ok(each_value(rows.field(name), made, false))
}

/// `mvfilter(condition)`: the values of the one field in it for which it holds.
fn filtered(arguments: &[Expression], rows: &Rows, span: Span) -> Lower<Expr> {
    let mut fields: Vec<&str> = arguments.iter().flat_map(Expression::fields).collect();
    fields.sort_unstable();
    fields.dedup();
    let ([test], [name]) = (arguments, fields.as_slice()) else {
        return Err(Diagnostic::error("HP502", "`mvfilter` takes a condition on one field").at(span).into());
    };
    Ok(each_value(rows.field(name), condition(test, rows)?, true))
}

/// The body reads the values of a column one by one, and other columns as they are in the row.
fn each_value(values: Expr, body: Expr, filters: bool) -> Expr {
    let Expr::Column(own, _) = &values else { return absent() };
    let bound = |name: &Name| Name::from(format!("\u{1}{name}"));
    let captured = body.columns().into_iter().filter(|name| name != own);
    let captured = captured.map(|name| (bound(&name), Expr::Column(name, Kind::Field))).collect();
    let body = body.substitute(&|name| Some(Expr::Column(bound(name), Kind::Field)));
    Expr::Each(Box::new(Each { item: bound(own), captured, body, filters, values }))
}

/// `searchmatch("terms")`: whether a row passes a search.
fn search_match(arguments: &[Expression], rows: &Rows, span: Span) -> Lower<Expr> {
    let [Expression { kind: ExpressionKind::Text(terms), span }] = arguments else {
        return Err(Diagnostic::error("HP502", "`searchmatch` takes search terms in double quotes").at(span).into());
    };
    terms_of(Reader::of_text(&Script::made(terms.clone(), *span)), rows)
}

/// `eval` and `where` have put the answers of lookups in the place of their calls before an expression is lowered.
fn lookup(_: &[Expression], _: &Rows, span: Span) -> Lower<Expr> {
    let said = Diagnostic::error("HP502", "`lookup` is a function of `eval` and `where` alone, outside of `mvmap`");
    Err(said.at(span).help("give what it finds a name first: eval found=lookup(...)").into())
}

/// Makes `pub static FORMS: &[Form]`.
macro_rules! forms {
    ($(
        $(#[doc = $doc:literal])*
        $name:literal : $syntax:literal = $lower:ident;
    )*) => {
        /// Every call that is lowered by rules of its own.
        pub static FORMS: &[Form] = &[$(Form {
            name: $name,
            syntax: $syntax,
            docs: concat!($($doc, "\n"),*),
            lower: $lower,
        }),*];
    };
}

forms! {
    /// What an expression makes of each value of a field, which it reads under the field's name.
    ///
    /// Other fields are read as they are in the row. A value of which the expression makes nothing is left out.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// | makeresults | eval n=split("1,2", ","), m=mvjoin(mvmap(n, n*10), " ") | table m // 10 20
    /// ```
    "mvmap": "mvmap(<field>, <expression>)" = mapped;

    /// The values of a field for which a condition on that one field holds.
    ///
    /// Source: Splunk Search Reference, multivalue eval functions.
    ///
    /// ```spl
    /// | makeresults | eval n=split("a,b,ab", ","), m=mvjoin(mvfilter(match(n, "b")), " ") | table m // b ab
    /// ```
    "mvfilter": "mvfilter(<condition>)" = filtered;

    /// Whether a row passes a search, as the `search` command would read it.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// | makeresults | eval user="Maria", m=if(searchmatch("user=mar*"), "yes", "no") | table m // yes
    /// ```
    "searchmatch": "searchmatch(\"<search terms>\")" = search_match;

    /// Fields of the row of a lookup that values match, as a JSON object.
    ///
    /// The lookup is named in double quotes: its definition, or its file. The object pairs its fields with the values
    /// to find there, the array names the fields to give. How values are matched, and how many rows may, is said by the
    /// lookup's definition, as for the command of this name; several rows give arrays. What no row matches gives no
    /// value. `eval` and `where` take it.
    ///
    /// Source: Splunk Search Reference, comparison and conditional functions.
    ///
    /// ```spl
    /// lookup("ut_shannon_lookup", json_object("word", "aabb"), json_array("ut_shannon")) // {"ut_shannon":1}
    /// ```
    "lookup": "lookup(\"<lookup>\", json_object(\"<field>\", <value>, ...), json_array(\"<field>\", ...))" = lookup;
}
