//! What a scalar function is, and the macros that make one of a function over rows or over columns.
use super::Context;
use crate::diagnostic::Result;
use crate::types::{Column, Kind, Value};

/// Which language a function belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Kql,
    Spl,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// This kind, and what widens to it: int to long to real to decimal; dynamic to anything.
    Kind(Kind),
    Any,
    /// int, long, real, decimal.
    Number,
    /// Numbers and timespan.
    Summable,
    /// Numbers, datetime and timespan.
    Ordered,
    /// int, long.
    Integer,
}

impl Accepts {
    /// Whether an argument of `kind` needs no conversion.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Accepts::Kind(own) => own == kind,
            Accepts::Any => true,
            Accepts::Number => kind.is_number(),
            Accepts::Summable => kind.is_number() || kind == Kind::TimeSpan,
            Accepts::Ordered => kind.is_number() || matches!(kind, Kind::DateTime | Kind::TimeSpan),
            Accepts::Integer => kind.is_integer(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub accepts: Accepts,
    pub optional: bool,
    /// The last parameter may be given any number of times.
    pub repeats: bool,
}

/// The kind of a result.
#[derive(Clone, Copy)]
pub enum Returns {
    Kind(Kind),
    /// The kind of that argument.
    Argument(usize),
    /// The widest kind of all arguments.
    Widest,
    Of(fn(&[Kind]) -> Kind),
    /// Decided by constant arguments too: `datetime_diff` counts weeks as a real.
    Chosen(fn(&[Kind], &[Option<&Value>]) -> Kind),
}

/// How often a function must be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purity {
    /// The same arguments give the same result: folded, shared, run once per distinct value.
    Pure,
    /// The same within a query (`now`).
    PerQuery,
    /// Anew for every row (`rand`): never folded, shared or cached.
    PerRow,
}

/// Columns of equal length (constants included) and the number of rows; gives a column of that length.
pub type Kernel = fn(&Context, &[Column], usize) -> Result<Column>;

/// A scalar function: signature, manual page with examples, kernel.
pub struct Scalar {
    pub name: &'static str,
    /// Other and deprecated spellings.
    pub aliases: &'static [&'static str],
    pub dialect: Dialect,
    /// The module that it stands in.
    pub family: &'static str,
    pub parameters: &'static [Parameter],
    pub returns: Returns,
    pub purity: Purity,
    /// The manual page, Markdown: the doc comment of the item. Its first paragraph is the summary;
    /// fenced `kql` or `spl` blocks hold `call  // result` lines that run as tests.
    pub docs: &'static str,
    pub kernel: Kernel,
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Scalar {
    /// The `call  // result` lines of the manual page.
    pub fn examples(&self) -> Vec<(&'static str, &'static str)> {
        examples(self.docs)
    }

    /// How many arguments may be given.
    pub fn arity(&self) -> (usize, usize) {
        let needed = self.parameters.iter().filter(|p| !p.optional).count();
        let repeats = self.parameters.iter().any(|p| p.repeats);
        (needed, if repeats { usize::MAX } else { self.parameters.len() })
    }

    /// The parameter that takes argument `at`.
    pub fn parameter(&self, at: usize) -> Option<&'static Parameter> {
        self.parameters.get(at).or_else(|| self.parameters.last().filter(|p| p.repeats))
    }

    /// The kind of the result for arguments of these kinds, none of them constant.
    pub fn result(&self, arguments: &[Kind]) -> Kind {
        self.returns.kind(arguments, &[])
    }
}

impl Returns {
    /// The kind for arguments of these kinds; `constants` holds the values of those that are constant.
    pub fn kind(&self, arguments: &[Kind], constants: &[Option<&Value>]) -> Kind {
        match self {
            Returns::Kind(kind) => *kind,
            Returns::Argument(at) => arguments.get(*at).copied().unwrap_or(Kind::Dynamic),
            Returns::Widest => arguments.iter().copied().reduce(super::wider).unwrap_or(Kind::Dynamic),
            Returns::Of(decide) => decide(arguments),
            Returns::Chosen(decide) => decide(arguments, constants),
        }
    }
}

/// The `call  // result` lines of a manual page's fenced blocks.
pub fn examples(docs: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut inside = false;
    let lines = docs.lines().map(str::trim).filter_map(|line| {
        if line.starts_with("```") {
            inside = matches!(line, "```kql" | "```spl");
            return None;
        }
        let empty = line.strip_suffix(" //").map(|call| (call, ""));
        let (call, result) = empty.or_else(|| line.rsplit_once(" // ")).filter(|_| inside)?;
        Some((call.trim(), result.trim()))
    });
    lines.collect()
}

/// Makes `pub static ROWS: &[Scalar]` of functions over the values of one row:
///
/// ```text
/// scalars! {
///     /// The length of a text in characters.
///     ///
///     /// Source: strlen-function.
///     ///
///     /// ```kql
///     /// strlen("hello") // 5
///     /// ```
///     kql fn strlen as [len] (text: Str) -> i64 { text.chars().count() as i64 }
/// }
/// ```
///
/// A value that is null makes the result null; a `Maybe<…>` parameter may be left out and gets an
/// `Option`. The function returns a value or an `Option`. `with context` after the parameters names
/// the [`Context`]; `per_query` or `per_row` before `fn` weakens purity.
#[macro_export]
#[doc(hidden)]
macro_rules! scalars {
    (@dialect kql) => { $crate::functions::Dialect::Kql };
    (@dialect spl) => { $crate::functions::Dialect::Spl };
    (@purity) => { $crate::functions::Purity::Pure };
    (@purity per_query) => { $crate::functions::Purity::PerQuery };
    (@purity per_row) => { $crate::functions::Purity::PerRow };
    ($(
        $(#[doc = $doc:literal])*
        $dialect:ident $(#$purity:ident)? fn $name:ident $(as [$($alias:ident),*])?
            ($($arg:ident : $kind:ty),* $(,)?) $(with $context:ident)? -> $out:ty $body:block
    )*) => {
        /// Functions over the values of one row.
        pub static ROWS: &[$crate::functions::Scalar] = &[$({
            fn kernel(
                context: &$crate::functions::Context,
                args: &[$crate::types::Column],
                rows: usize,
            ) -> $crate::diagnostic::Result<$crate::types::Column> {
                use $crate::functions::row;
                let _ = context;
                $(let $context = context;)?
                #[allow(unused_mut, unused_variables)]
                let mut given = args.iter();
                $(let $arg = row::Reader::<$kind>::new(given.next());)*
                // A function of no arguments may differ by row.
                let constants: &[bool] = &[$($arg.is_const()),*];
                let constant = !constants.is_empty() && constants.iter().all(|c| *c);
                let count = if constant { rows.min(1) } else { rows };
                let out = <$out as row::Output>::collect(args, count, |_row| {
                    $(let $arg = $arg.get(_row)?;)*
                    #[allow(clippy::redundant_closure_call)]
                    Some((|| -> $out { $body })())
                });
                Ok(row::spread(out, constant, rows))
            }
            $crate::functions::Scalar {
                name: stringify!($name),
                aliases: &[$($(stringify!($alias)),*)?],
                dialect: $crate::scalars!(@dialect $dialect),
                family: module_path!(),
                parameters: &[$($crate::functions::Parameter {
                    name: stringify!($arg),
                    accepts: <$kind as $crate::functions::row::Argument>::ACCEPTS,
                    optional: <$kind as $crate::functions::row::Argument>::OPTIONAL,
                    repeats: false,
                }),*],
                returns: $crate::functions::Returns::Kind(<$out as $crate::functions::row::Output>::KIND),
                purity: $crate::scalars!(@purity $($purity)?),
                docs: concat!($($doc, "\n"),*),
                kernel,
            }
        }),*];
    };
}

/// Makes `pub static COLUMNS: &[Scalar]` of functions whose kernel works on whole columns:
///
/// ```text
/// kernels! {
///     /// Manual page…
///     kql fn strcat as [concat] (part[repeats]: Any) -> Kind(Kind::String) = strcat;
///     kql fn round (number: Number, digits[optional]: Integer) -> Argument(0) = round;
/// }
/// ```
///
/// `[optional]` parameters may be left out; a `[repeats]` one may be given more than once (and
/// `[any]`: any number of times, also not at all). The result is a [`Returns`]. The kernel is a
/// [`Kernel`]. An item's name may be a text where it is no identifier: `kql fn "=="`.
#[macro_export]
#[doc(hidden)]
macro_rules! kernels {
    (@name $name:ident) => { stringify!($name) };
    (@name $name:literal) => { $name };
    (@accepts Any) => { $crate::functions::Accepts::Any };
    (@accepts Number) => { $crate::functions::Accepts::Number };
    (@accepts Summable) => { $crate::functions::Accepts::Summable };
    (@accepts Ordered) => { $crate::functions::Accepts::Ordered };
    (@accepts Integer) => { $crate::functions::Accepts::Integer };
    (@accepts $kind:ident) => { $crate::functions::Accepts::Kind($crate::types::Kind::$kind) };
    (@optional) => { false };
    (@optional optional) => { true };
    (@optional repeats) => { false };
    (@optional any) => { true };
    (@repeats) => { false };
    (@repeats optional) => { false };
    (@repeats repeats) => { true };
    (@repeats any) => { true };
    ($(
        $(#[doc = $doc:literal])*
        $dialect:ident $(#$purity:ident)? fn $name:tt $(as [$($alias:tt),*])?
            ($($arg:ident $([$mark:ident])? : $kind:ident),* $(,)?) -> $returns:ident $(($what:expr))? = $kernel:expr;
    )*) => {
        /// Functions over whole columns.
        pub static COLUMNS: &[$crate::functions::Scalar] = &[$(
            $crate::functions::Scalar {
                name: $crate::kernels!(@name $name),
                aliases: &[$($($crate::kernels!(@name $alias)),*)?],
                dialect: $crate::scalars!(@dialect $dialect),
                family: module_path!(),
                parameters: &[$($crate::functions::Parameter {
                    name: stringify!($arg),
                    accepts: $crate::kernels!(@accepts $kind),
                    optional: $crate::kernels!(@optional $($mark)?),
                    repeats: $crate::kernels!(@repeats $($mark)?),
                }),*],
                returns: $crate::functions::Returns::$returns $(($what))?,
                purity: $crate::scalars!(@purity $($purity)?),
                docs: concat!($($doc, "\n"),*),
                kernel: $kernel,
            }
        ),*];
    };
}
