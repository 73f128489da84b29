//! Queries that are made up: most of them mean something, for they name the columns that are there.
mod wide;

use huntpack::types::Kind;

/// Numbers that look random and are the same on every machine.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn often(&mut self, one_in: usize) -> bool {
        self.below(one_in) > 0
    }
}

/// The columns that the generated queries begin with.
pub const COLUMNS: &[(&str, Kind)] = &[
    ("When", Kind::DateTime),
    ("User", Kind::String),
    ("Host", Kind::String),
    ("N", Kind::Long),
    ("I", Kind::Int),
    ("R", Kind::Real),
    ("Ok", Kind::Bool),
    ("Took", Kind::TimeSpan),
    ("D", Kind::Dynamic),
    ("B", Kind::Dynamic),
    ("Text", Kind::String),
];

type Columns = Vec<(String, Kind)>;

const SIMPLE: &[Kind] =
    &[Kind::Bool, Kind::Long, Kind::Int, Kind::Real, Kind::String, Kind::DateTime, Kind::TimeSpan, Kind::Dynamic];

/// A constant of a kind.
fn constant(draw: &mut Draw, kind: Kind) -> &'static str {
    let of: &[&str] = match kind {
        Kind::Bool => &["true", "false", "bool(null)"],
        Kind::Int => &["int(3)", "int(0)", "int(-7)", "int(null)"],
        Kind::Long => &["0", "1", "-5", "42", "1000000007", "long(null)"],
        Kind::Real => &["0.5", "-2.25", "1e10", "real(nan)", "real(null)", "100.0"],
        Kind::DateTime => &["datetime(2026-03-02)", "datetime(2026-03-03T12:30:00.5)", "now()", "datetime(null)"],
        Kind::TimeSpan => &["1h", "-90s", "1d", "0s", "timespan(null)"],
        Kind::Dynamic => {
            &["dynamic([1,2,3])", "dynamic({\"a\":1,\"b\":[true,null]})", "dynamic(null)", "dynamic(\"x\")"]
        }
        _ => &["''", "'user7'", "'HOST3'", "'user=user1 n=5'", "'a,b;c'", "'é😀'", "'10.0.0.1'"],
    };
    of[draw.below(of.len())]
}

/// A column of a kind, or a constant where there is none.
fn leaf(draw: &mut Draw, columns: &Columns, kind: Kind) -> String {
    let fitting: Vec<&String> = columns.iter().filter(|(_, k)| *k == kind).map(|(name, _)| name).collect();
    match fitting.is_empty() || !draw.often(4) {
        true => constant(draw, kind).to_owned(),
        false => (*draw.one(&fitting)).clone(),
    }
}

/// An expression of a kind. In a form `$b`, `$n`, `$r`, `$s`, `$t`, `$d` and `$j` stand for parts that are bool, long,
/// real, string, datetime, timespan and dynamic, `$x` for a part of any kind, and `#` for a small number.
pub fn expression(draw: &mut Draw, columns: &Columns, kind: Kind, depth: usize) -> String {
    if depth == 0 || draw.below(3) == 0 {
        return leaf(draw, columns, kind);
    }
    let form = *draw.one(forms(kind));
    let mut out = String::new();
    let form = form.replace('#', &draw.below(5).to_string());
    let mut parts = form.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (letter, rest) = part.split_at(1);
        let kind = match letter {
            "b" => Kind::Bool,
            "n" => Kind::Long,
            "r" => Kind::Real,
            "t" => Kind::DateTime,
            "d" => Kind::TimeSpan,
            "j" => Kind::Dynamic,
            "x" => *draw.one(SIMPLE),
            _ => Kind::String,
        };
        out.push_str(&expression(draw, columns, kind, depth - 1));
        out.push_str(rest);
    }
    out
}

fn forms(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Bool => &[
            "($n == $n)",
            "($n < $r)",
            "($r >= $r)",
            "($t > $t)",
            "($d <= $d)",
            "($s == $s)",
            "($s =~ $s)",
            "($s != $n)",
            "($s has $s)",
            "($s !has 'user')",
            "($s contains $s)",
            "($s startswith 'us')",
            "($s endswith_cs '1')",
            "($s in ('user1', $s))",
            "($s in~ ('HOST1', 'host2'))",
            "($s has_any ('user1', 'n', '3'))",
            "($s matches regex '[a-m]+[0-9]{1,2}')",
            "($n between (# .. 50))",
            "($n !in (1, 2, $n))",
            "($j == $n)",
            "isempty($x)",
            "isnull($x)",
            "isnotempty($s)",
            "not($b)",
            "($b and $b)",
            "($b or $b)",
            "iff($b, $b, $b)",
            "set_has_element($j, $n)",
            "bag_has_key($j, 'a')",
            "($s has_all ('user', $s))",
            "($t between ($t .. 1d))",
            "ipv4_is_private($s)",
            "isfinite($r)",
            "($j has 'user')",
            "($s in~ ($s, 'USER2', 'host5'))",
            "tobool($s)",
        ],
        Kind::Int => &["toint($s)", "toint($n)", "toint($b)"],
        Kind::Long => &[
            "($n + $n)",
            "($n - #)",
            "($n * $n)",
            "($n / $n)",
            "($n % 7)",
            "-($n)",
            "bin($n, 5)",
            "strlen($s)",
            "array_length($j)",
            "tolong($s)",
            "tolong($r)",
            "hourofday($t)",
            "datetime_diff('minute', $t, $t)",
            "indexof($s, 'e')",
            "countof($s, 'u')",
            "iff($b, $n, $n)",
            "case($b, $n, $b, 1, $n)",
            "coalesce($n, #)",
            "max_of($n, $n)",
            "binary_and($n, 255)",
            "tolong($j)",
            "tolong($j[#])",
            "array_index_of($j, $n)",
            "strcmp($s, $s)",
            "dayofyear($t)",
            "week_of_year($t)",
            "bitset_count_ones($n)",
            "hash($s, 100)",
        ],
        Kind::Real => &[
            "($r + $n)",
            "($r * $r)",
            "($r / $n)",
            "toreal($s)",
            "toreal($n)",
            "round($r, 2)",
            "floor($r, 0.5)",
            "sqrt($r)",
            "exp2(sign($r))",
            "abs($r)",
            "($d / 1h)",
            "iff($b, $r, 0.0)",
            "min_of($r, $r)",
            "max_of($r, $n, #)",
            "log10($r)",
            "toreal(array_sum($j))",
            "toreal(datetime_part('second', $t))",
            "toreal($j)",
        ],
        Kind::String => &[
            "strcat($s, '-', $n)",
            "tolower($s)",
            "toupper($s)",
            "substring($s, #, 3)",
            "tostring($x)",
            "tostring($j)",
            "tostring($j.a)",
            "replace_string($s, 'u', 'U')",
            "replace_regex($s, '[0-9]+', '<\\\\0>')",
            "extract('([a-z]+)([0-9]*)', #, $s)",
            "trim('[su]', $s)",
            "iff($b, $s, $s)",
            "case($n > 5, $s, $b, 'b', $s)",
            "coalesce($s, $s)",
            "strcat_array($j, '|')",
            "format_datetime($t, 'yyyy-MM-dd HH')",
            "reverse($s)",
            "hash_md5($s)",
            "url_decode($s)",
            "strrep($s, 2)",
            "format_timespan($d, 'd.hh:mm:ss')",
            "strcat_delim('/', $s, $n, $s)",
            "translate('usr', 'USR', $s)",
            "base64_encode_tostring($s)",
            "tostring(parse_path($s).Filename)",
            "substring($s, -#, 2)",
            "trim_end(@'\\d+', $s)",
            "tostring(bag_keys($j))",
            "tostring(split($s, 's')[#])",
        ],
        Kind::DateTime => &[
            "($t + $d)",
            "($t - 1d)",
            "bin($t, 1h)",
            "startofday($t)",
            "startofweek($t)",
            "todatetime($s)",
            "iff($b, $t, $t)",
            "datetime_add('hour', #, $t)",
            "min_of($t, $t)",
        ],
        Kind::TimeSpan => &["($t - $t)", "($d + $d)", "($d * #)", "totimespan($s)", "bin($d, 1m)", "abs($d)"],
        _ => &[
            "pack_array($x, $x)",
            "bag_pack('a', $x, $s, $n)",
            "split($s, 'e')",
            "todynamic($s)",
            "array_concat($j, $j)",
            "array_slice($j, 0, #)",
            "array_sort_asc($j)",
            "set_union($j, $j)",
            "bag_merge($j, $j)",
            "bag_keys($j)",
            "$j.a",
            "$j['k1']",
            "$j[#]",
            "$j[-1]",
            "range(1, #, 1)",
            "zip($j, $j)",
            "set_difference($j, $j)",
            "set_intersect($j, $j)",
            "array_sort_desc($j)",
            "array_reverse($j)",
            "array_rotate_left($j, #)",
            "array_shift_right($j, #)",
            "array_split($j, #)",
            "array_iff($j, $j, $j)",
            "bag_remove_keys($j, dynamic(['a']))",
            "series_add($j, $j)",
            "repeat($n, #)",
            "treepath($j)",
            "bag_set_key($j, 'z', $x)",
            "parse_csv($s)",
            "todynamic(tostring($j))",
            "extract_all('([a-z])([0-9])', $s)",
            "parse_json($s)",
            "iff($b, $j, $j)",
        ],
    }
}

/// A query that is being written: its text, and the columns that it has by then.
pub struct Pipeline {
    pub text: String,
    pub columns: Columns,
    fresh: usize,
}

/// A query over the table `T` with so many operators.
pub fn query(draw: &mut Draw, operators: usize) -> String {
    let columns = COLUMNS.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    let mut pipeline = Pipeline { text: "T".to_owned(), columns, fresh: 0 };
    for _ in 0..operators {
        pipeline.operator(draw);
    }
    pipeline.text
}

impl Pipeline {
    fn name(&mut self) -> String {
        self.fresh += 1;
        format!("c{}", self.fresh)
    }

    fn say(&mut self, text: &str) {
        self.text.push_str("\n| ");
        self.text.push_str(text);
    }

    fn any(&self, draw: &mut Draw) -> String {
        draw.one(&self.columns).0.clone()
    }

    /// A column that can be a key; dynamic ones cannot.
    fn key(&self, draw: &mut Draw) -> Option<String> {
        let keys: Vec<&String> = self.columns.iter().filter(|(_, k)| *k != Kind::Dynamic).map(|(n, _)| n).collect();
        (!keys.is_empty()).then(|| (*draw.one(&keys)).clone())
    }

    fn of_kind(&self, draw: &mut Draw, kind: Kind, depth: usize) -> String {
        expression(draw, &self.columns, kind, depth)
    }

    fn set(&mut self, name: &str, kind: Kind) {
        match self.columns.iter_mut().find(|(known, _)| known == name) {
            Some(column) => column.1 = kind,
            None => self.columns.push((name.to_owned(), kind)),
        }
    }

    fn operator(&mut self, draw: &mut Draw) {
        match draw.below(30) {
            0..=3 => {
                let condition = self.of_kind(draw, Kind::Bool, 3);
                self.say(&format!("where {condition}"));
            }
            4..=6 => self.extend(draw),
            7 => self.project(draw),
            8..=10 => self.summarize(draw),
            11 => self.distinct(draw),
            12 | 13 => self.sort(draw),
            14 => self.join(draw),
            15 => self.expand(draw),
            16 => self.rows(draw),
            17 => self.parse(draw),
            18 => self.union(draw),
            19 => self.apply(draw),
            20 => self.reorder(draw),
            _ => self.wide(draw),
        }
    }

    fn extend(&mut self, draw: &mut Draw) {
        let kind = *draw.one(SIMPLE);
        let value = self.of_kind(draw, kind, 3);
        let name = if draw.often(3) { self.name() } else { self.any(draw) };
        self.say(&format!("extend {name} = {value}"));
        // What a form gives is told, for functions of numbers give one kind or another.
        let told = match kind {
            Kind::Bool => format!("extend {name} = tobool({name})"),
            Kind::Long => format!("extend {name} = tolong({name})"),
            Kind::Int => format!("extend {name} = toint({name})"),
            Kind::Real => format!("extend {name} = toreal({name})"),
            _ => return self.set(&name, kind),
        };
        self.say(&told);
        self.set(&name, kind);
    }

    fn project(&mut self, draw: &mut Draw) {
        if self.columns.len() > 4 && draw.often(2) {
            let away = self.any(draw);
            self.columns.retain(|(name, _)| *name != away);
            return self.say(&format!("project-away {away}"));
        }
        let (old, new) = (self.any(draw), self.name());
        self.say(&format!("project-rename {new} = {old}"));
        self.columns.iter_mut().filter(|(name, _)| *name == old).for_each(|column| column.0.clone_from(&new));
    }

    fn summarize(&mut self, draw: &mut Draw) {
        let aggregates: &[(&str, Kind)] = &[
            ("count()", Kind::Long),
            ("countif($b)", Kind::Long),
            ("sum(tolong($n))", Kind::Long),
            ("sum(toreal($r))", Kind::Real),
            ("avg(toreal($r))", Kind::Real),
            ("avgif(tolong($n), $b)", Kind::Real),
            ("stdev(toreal($n))", Kind::Real),
            ("variance(toreal($r))", Kind::Real),
            ("min($t)", Kind::DateTime),
            ("max($t)", Kind::DateTime),
            ("max(tostring($s))", Kind::String),
            ("min(toreal($r))", Kind::Real),
            ("dcount(tostring($s))", Kind::Long),
            ("dcountif(tolong($n), $b)", Kind::Long),
            ("make_set(tostring($s), 20)", Kind::Dynamic),
            ("make_list(tolong($n))", Kind::Dynamic),
            ("make_list($t, 5)", Kind::Dynamic),
            ("make_bag(bag_pack(tostring($s), tolong($n)))", Kind::Dynamic),
            ("percentile(toreal($r), 90)", Kind::Real),
            ("take_any(tostring($s))", Kind::String),
            ("count_distinct(tostring($s))", Kind::Long),
            ("binary_all_xor(tolong($n))", Kind::Long),
        ];
        let made = self.calls(draw, aggregates, 3);
        let keys: Vec<(String, Kind)> = (0..draw.below(3)).filter_map(|_| self.group(draw)).collect();
        let keys = keys.into_iter().map(|(e, k)| (self.name(), e, k)).collect();
        self.summarized(made, keys);
    }

    /// Up to so many aggregates of these forms: name, call and kind of each.
    fn calls(&mut self, draw: &mut Draw, forms: &[(&str, Kind)], most: usize) -> Vec<(String, String, Kind)> {
        let mut made = Vec::new();
        for _ in 0..=draw.below(most) {
            let (form, kind) = *draw.one(forms);
            made.push((self.name(), self.filled(draw, form), kind));
        }
        made
    }

    /// A row for each group: the keys and the aggregates are all its columns.
    fn summarized(&mut self, made: Vec<(String, String, Kind)>, keys: Vec<(String, String, Kind)>) {
        let shown = |list: &[(String, String, Kind)]| {
            list.iter().map(|(name, e, _)| format!("{name} = {e}")).collect::<Vec<_>>().join(", ")
        };
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", shown(&keys)) };
        self.say(&format!("summarize {}{by}", shown(&made)));
        self.columns = keys.into_iter().chain(made).map(|(name, _, kind)| (name, kind)).collect();
    }

    fn filled(&mut self, draw: &mut Draw, form: &str) -> String {
        let kinds = [("$b", Kind::Bool), ("$n", Kind::Long), ("$r", Kind::Real), ("$s", Kind::String)];
        let mut text = form.to_owned();
        for (mark, kind) in kinds.into_iter().chain([("$t", Kind::DateTime), ("$j", Kind::Dynamic)]) {
            while text.contains(mark) {
                let part = self.of_kind(draw, kind, 2);
                text = text.replacen(mark, &part.replace('$', "_"), 1);
            }
        }
        text
    }

    fn group(&mut self, draw: &mut Draw) -> Option<(String, Kind)> {
        Some(match draw.below(4) {
            0 => (format!("bin({}, 6h)", self.of_kind(draw, Kind::DateTime, 1)), Kind::DateTime),
            1 => (format!("tostring({})", self.of_kind(draw, Kind::String, 2)), Kind::String),
            _ => {
                let key = self.key(draw)?;
                let kind = self.columns.iter().find(|(name, _)| *name == key)?.1;
                (key, kind)
            }
        })
    }

    fn distinct(&mut self, draw: &mut Draw) {
        let (Some(first), Some(second)) = (self.key(draw), self.key(draw)) else { return };
        let names = if first == second { vec![first] } else { vec![first, second] };
        self.say(&format!("distinct {}", names.join(", ")));
        let kind = |name: &String| self.columns.iter().find(|(n, _)| n == name).map_or(Kind::String, |(_, k)| *k);
        self.columns = names.iter().map(|name| (name.clone(), kind(name))).collect();
    }

    fn sort(&mut self, draw: &mut Draw) {
        let Some(key) = self.key(draw) else { return };
        let order = *draw.one(&["", " asc", " desc nulls first", " asc nulls last"]);
        match draw.below(4) {
            0 => self.say(&format!("top {} by {key}{order}", 1 + draw.below(40))),
            1 => {
                let (number, before, sum) = (self.name(), self.name(), self.name());
                let value = self.of_kind(draw, Kind::Long, 1);
                self.say(&format!("sort by {key}{order}"));
                let calls =
                    format!("{number} = row_number(), {before} = prev({key}), {sum} = row_cumsum(tolong({value}))");
                self.say(&format!("extend {calls}"));
                let kind = self.columns.iter().find(|(name, _)| *name == key).map_or(Kind::String, |(_, k)| *k);
                self.columns.extend([(number, Kind::Long), (before, kind), (sum, Kind::Long)]);
            }
            _ => self.say(&format!("sort by {key}{order}")),
        }
    }

    fn join(&mut self, draw: &mut Draw) {
        let texts: Vec<&String> = self.columns.iter().filter(|(_, k)| *k == Kind::String).map(|(n, _)| n).collect();
        if texts.is_empty() {
            return;
        }
        let key = (*draw.one(&texts)).clone();
        let kinds =
            ["inner", "innerunique", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "rightanti"];
        let kind = *draw.one(&kinds);
        let (own, most) = (self.name(), 3 + draw.below(20));
        let right = format!("T | where N < {most} | summarize {own} = max(R), Last = max(When) by Key = User");
        self.say(&format!("join kind={kind} ({right}) on $left.{key} == $right.Key"));
        let joined = [("Key".to_owned(), Kind::String), (own, Kind::Real), ("Last".to_owned(), Kind::DateTime)];
        match kind {
            "leftsemi" | "leftanti" => {}
            "rightanti" => self.columns = joined.to_vec(),
            // A second join may find the names taken.
            _ => self.columns.extend(joined.into_iter().filter(|(name, _)| name.starts_with('c'))),
        }
    }

    fn expand(&mut self, draw: &mut Draw) {
        let (name, value) = (self.name(), self.of_kind(draw, Kind::Dynamic, 2));
        let kind = *draw.one(&["", " to typeof(long)", " to typeof(string)"]);
        self.say(&format!("mv-expand {name} = {value}{kind} limit 5"));
        let kind = match kind {
            " to typeof(long)" => Kind::Long,
            " to typeof(string)" => Kind::String,
            _ => Kind::Dynamic,
        };
        self.columns.push((name, kind));
    }

    fn rows(&mut self, draw: &mut Draw) {
        match draw.below(3) {
            0 => self.say(&format!("take {}", draw.below(200))),
            1 => {
                self.say("count");
                self.columns = vec![("Count".to_owned(), Kind::Long)];
            }
            _ => self.say(&format!("where * has '{}'", draw.one(&["user1", "host7", "n", "5"]))),
        }
    }

    fn parse(&mut self, draw: &mut Draw) {
        let (text, name, number) = (self.of_kind(draw, Kind::String, 1), self.name(), self.name());
        let how = *draw.one(&["parse", "parse-where", "parse kind=relaxed"]);
        self.say(&format!("extend Parsed = tostring({text})"));
        self.set("Parsed", Kind::String);
        self.say(&format!("{how} Parsed with * 'user=' {name} ' n=' {number}:long *"));
        self.columns.extend([(name, Kind::String), (number, Kind::Long)]);
    }

    fn union(&mut self, draw: &mut Draw) {
        let most = draw.below(30);
        let kind = *draw.one(&["outer", "inner"]);
        self.say(&format!("project {}", self.columns.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ")));
        self.say(&format!("union kind={kind} (T | where N > {most} | project When, User, N)"));
        // Columns of one name and several kinds are parted: only those that stay what they are go on.
        let own = |name: &str| COLUMNS.iter().any(|(known, _)| *known == name);
        let shared = ["When", "User", "N"];
        match kind {
            "inner" => self.columns.retain(|(name, kind)| shared.contains(&name.as_str()) && is_own(name, *kind)),
            _ => self
                .columns
                .retain(|(name, kind)| !own(name) || !shared.contains(&name.as_str()) || is_own(name, *kind)),
        }
        if self.columns.is_empty() {
            self.say("summarize c0 = count()");
            self.columns = vec![("c0".to_owned(), Kind::Long)];
        }
    }

    fn apply(&mut self, draw: &mut Draw) {
        let (name, list) = (self.name(), self.name());
        let value = self.of_kind(draw, Kind::Dynamic, 1);
        self.say(&format!(
            "mv-apply {name} = {value} to typeof(long) on (where {name} > {} | summarize {list} = make_list({name}))",
            draw.below(4)
        ));
        self.columns.push((list, Kind::Dynamic));
    }
}

fn is_own(name: &str, kind: Kind) -> bool {
    COLUMNS.iter().any(|(known, own)| *known == name && *own == kind)
}
