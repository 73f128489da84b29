//! Manual pages of what is no library function: operators, statements, kinds, forms of calls.
//!
//! A page stands in the file that binds its subject; [`super::pages`] gathers them.
use crate::functions;

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A step of a pipeline: `where`.
    Operator,
    /// What stands between semicolons: `let`.
    Statement,
    /// Where rows come from: `datatable`, `materialize`.
    Table,
    /// A call that is bound by rules of its own: `iff`, `toscalar`.
    Function,
    /// A function of a row's place among ordered rows: `prev`.
    InOrder,
    /// What joins two operands: `and`.
    Infix,
    /// What values are: `datetime`.
    Kind,
}

/// A manual page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub subject: Subject,
    pub name: &'static str,
    /// Other and deprecated spellings.
    pub aliases: &'static [&'static str],
    /// How it is written: capital words stand for what the user gives, brackets for what may be left out.
    pub syntax: &'static str,
    /// Markdown, as functions have it: a summary, details, `Source: page.`, and examples that run as tests.
    pub docs: &'static str,
}

impl Page {
    /// The page's own name and its other spellings.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Whether it is about a function that is called.
    pub fn is_call(&self) -> bool {
        matches!(self.subject, Subject::Function | Subject::InOrder)
    }

    /// The `query // result` lines of the page.
    pub fn examples(&self) -> Vec<(&'static str, &'static str)> {
        functions::examples(self.docs)
    }
}

/// Makes `pub static PAGES: &[Page]`:
///
/// ```text
/// pages! {
///     /// The rows for which a condition holds.
///     ///
///     /// Source: where-operator.
///     ///
///     /// ```kql
///     /// range x from 1 to 5 step 1 | where x > 3 | count // 2
///     /// ```
///     Operator "where" as ["filter"]: "T | where Condition";
/// }
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! pages {
    ($(
        $(#[doc = $doc:literal])*
        $subject:ident $name:literal $(as [$($alias:literal),*])? : $syntax:literal;
    )*) => {
        /// The manual pages of this file.
        pub static PAGES: &[$crate::kql::Page] = &[$($crate::kql::Page {
            subject: $crate::kql::Subject::$subject,
            name: $name,
            aliases: &[$($($alias),*)?],
            syntax: $syntax,
            docs: concat!($($doc, "\n"),*),
        }),*];
    };
}
