//! Operators that bring rows into another shape, read other rows, or follow rows in their order.
use super::{COLUMNS, Draw, Pipeline};
use huntpack::types::Kind;

const KINDS: &[&str] =
    &["inner", "innerunique", "leftouter", "rightouter", "fullouter", "leftsemi", "rightsemi", "leftanti", "rightanti"];

impl Pipeline {
    pub(super) fn wide(&mut self, draw: &mut Draw) {
        match draw.below(16) {
            0 => self.scan(draw),
            1 => self.top_nested(draw),
            2 => self.series(draw),
            3 | 4 => self.partition(draw),
            5 => self.lookup(draw),
            6 => self.join_of_two(draw),
            7 => self.expand_several(draw),
            8 | 9 => self.apply_within(draw),
            10 => self.union_with_itself(draw),
            11 => self.row_functions(draw),
            12 => self.plugin(draw),
            13 => self.pairs(draw),
            14 => self.late(draw),
            _ => self.summarize_dynamics(draw),
        }
    }

    /// A column of a kind for all rows.
    fn made(&mut self, draw: &mut Draw, kind: Kind) -> String {
        let (name, value) = (self.name(), self.of_kind(draw, kind, 2));
        let call = match kind {
            Kind::Long => format!("tolong({value})"),
            Kind::Real => format!("toreal({value})"),
            Kind::String => format!("tostring({value})"),
            Kind::DateTime => format!("todatetime({value})"),
            _ => format!("todynamic({value})"),
        };
        self.say(&format!("extend {name} = {call}"));
        self.set(&name, kind);
        name
    }

    fn kind_of(&self, column: &str) -> Kind {
        self.columns.iter().find(|(name, _)| name == column).map_or(Kind::String, |(_, kind)| *kind)
    }

    fn scan(&mut self, draw: &mut Draw) {
        let Some(key) = self.key(draw) else { return };
        let number = self.made(draw, Kind::Long);
        let (count, text, id) = (self.name(), self.name(), self.name());
        let (most, output) = (draw.below(20), *draw.one(&["", " output=last", " output=none", " output=all"]));
        self.say(&format!("sort by {key} asc"));
        self.say(&format!(
            "scan with_match_id={id} declare ({count}: long = 0, {text}: string) with \
             (step a{output}: {number} > {most} => {count} = a.{count} + 1; \
             step b: {number} <= {most} => {count} = a.{count} + {number}, {text} = tostring(a.{number});)"
        ));
        self.columns.extend([(count, Kind::Long), (text, Kind::String), (id, Kind::Long)]);
    }

    fn top_nested(&mut self, draw: &mut Draw) {
        let (Some(first), Some(second)) = (self.key(draw), self.key(draw)) else { return };
        let kinds = [self.kind_of(&first), self.kind_of(&second)];
        let value = self.of_kind(draw, Kind::Long, 1);
        let (a, x, b, y) = (self.name(), self.name(), self.name(), self.name());
        let others = if kinds[0] == Kind::String && draw.often(2) { " with others = 'the rest'" } else { "" };
        let order = *draw.one(&["", " asc", " desc"]);
        self.say(&format!(
            "top-nested {} of {a} = {first}{others} by {x} = count(){order}, top-nested 2 of {b} = {second} by {y} = sum(tolong({value}))",
            1 + draw.below(4)
        ));
        self.columns = vec![(a, kinds[0]), (x, Kind::Long), (b, kinds[1]), (y, Kind::Long)];
    }

    fn series(&mut self, draw: &mut Draw) {
        let (time, value) = (self.made(draw, Kind::DateTime), self.of_kind(draw, Kind::Real, 1));
        let key = self.key(draw).filter(|key| *key != time);
        let (count, mean) = (self.name(), self.name());
        let by = key.as_ref().map(|key| format!(" by {key}")).unwrap_or_default();
        self.say(&format!(
            "make-series {count} = count(), {mean} = avg(toreal({value})) default = {} on {time} \
             from datetime(2026-03-01) to datetime(2026-03-02) step {}{by}",
            draw.one(&["0.0", "real(null)"]),
            draw.one(&["6h", "1h", "7h"]),
        ));
        let key = key.map(|key| (key.clone(), self.kind_of(&key)));
        let series = [count.clone(), mean, time.clone()].map(|name| (name, Kind::Dynamic));
        self.columns = key.into_iter().chain(series).collect();
        match draw.below(3) {
            0 => {
                self.say(&format!("mv-expand {count} to typeof(long), {time} to typeof(datetime)"));
                self.set(&count, Kind::Long);
                self.set(&time, Kind::DateTime);
            }
            1 => {
                let stats = self.name();
                self.say(&format!("extend {stats} = series_stats_dynamic({count})"));
                self.set(&stats, Kind::Dynamic);
            }
            _ => {}
        }
    }

    fn partition(&mut self, draw: &mut Draw) {
        let (Some(key), Some(other)) = (self.key(draw), self.key(draw)) else { return };
        let (x, y) = (self.name(), self.name());
        let number = self.of_kind(draw, Kind::Long, 1);
        let list = self.of_kind(draw, Kind::Dynamic, 1);
        let condition = self.of_kind(draw, Kind::Bool, 2);
        let (body, added) = match draw.below(6) {
            0 => (format!("top 2 by {other} desc"), vec![]),
            1 => (format!("take {}", draw.below(4)), vec![]),
            2 => (format!("sort by {other} asc | extend {x} = row_number()"), vec![(x, Kind::Long)]),
            3 => (format!("where {condition} | extend {x} = tolong({number})"), vec![(x, Kind::Long)]),
            4 => {
                let body = format!("mv-apply {y} = {list} to typeof(long) on (summarize {x} = sum({y}))");
                (body, vec![(x, Kind::Long)])
            }
            _ => {
                let kind = self.kind_of(&key);
                self.columns.clear();
                (format!("summarize {x} = count(), {y} = min({key})"), vec![(x, Kind::Long), (y, kind)])
            }
        };
        let hint = *draw.one(&["", " hint.strategy=native", " hint.strategy=shuffle"]);
        self.say(&format!("partition{hint} by {key} ({body})"));
        self.columns.extend(added);
        // `min` of some kinds is of no use as a key.
        self.columns.iter_mut().for_each(|(_, kind)| {
            if *kind == Kind::Guid {
                *kind = Kind::Dynamic;
            }
        });
    }

    fn lookup(&mut self, draw: &mut Draw) {
        let text = self.made(draw, Kind::String);
        let (own, key) = (self.name(), self.name());
        let kind = *draw.one(&["leftouter", "inner"]);
        let most = draw.below(30);
        self.say(&format!(
            "lookup kind={kind} (T | where N > {most} | summarize {own} = count() by {key} = User) on $left.{text} == $right.{key}"
        ));
        self.columns.push((own, Kind::Long));
    }

    fn join_of_two(&mut self, draw: &mut Draw) {
        let (text, number) = (self.made(draw, Kind::String), self.made(draw, Kind::Long));
        let (a, b, c) = (self.name(), self.name(), self.name());
        let (kind, most) = (*draw.one(KINDS), 3 + draw.below(20));
        self.say(&format!(
            "join kind={kind} (T | where N < {most} | project {a} = User, {b} = N, {c} = R) \
             on $left.{text} == $right.{a}, $left.{number} == $right.{b}"
        ));
        let right = [(a, Kind::String), (b, Kind::Long), (c, Kind::Real)];
        match kind {
            "leftsemi" | "leftanti" => {}
            "rightsemi" | "rightanti" => self.columns = right.to_vec(),
            _ => self.columns.extend(right),
        }
    }

    fn expand_several(&mut self, draw: &mut Draw) {
        let (a, b, index) = (self.name(), self.name(), self.name());
        let (first, second) = (self.of_kind(draw, Kind::Dynamic, 2), self.of_kind(draw, Kind::Dynamic, 1));
        let bags = *draw.one(&["", " kind=array", " kind=bag"]);
        self.say(&format!(
            "mv-expand{bags} with_itemindex={index} {a} = {first} to typeof(string), {b} = {second} limit 4"
        ));
        self.columns.extend([(a, Kind::String), (b, Kind::Dynamic), (index, Kind::Long)]);
    }

    fn apply_within(&mut self, draw: &mut Draw) {
        let (a, b, x) = (self.name(), self.name(), self.name());
        let outer = self.of_kind(draw, Kind::Dynamic, 1);
        let inner = if draw.often(2) { a.clone() } else { self.of_kind(draw, Kind::Dynamic, 1) };
        let (body, kept) = match draw.below(5) {
            0 => (format!("summarize {x} = sum({b})"), true),
            1 => (format!("summarize {x} = count() by {b} | where {x} > 0"), true),
            2 => (format!("top 1 by {b} desc | project {x} = {b}"), true),
            3 => (format!("take 2 | summarize {x} = make_list({b}) | take 1 | extend {x} = array_length({x})"), true),
            _ => (format!("where {b} > 1 | count | project {x} = Count"), true),
        };
        let within = format!("mv-apply {b} = {inner} to typeof(long) on ({body})");
        let join = match draw.below(4) {
            0 => format!(" | join kind=fullouter (T | where N < 2 | project {x} = N) on {x} | project {x}"),
            1 => format!(" | where {x} in ((T | where N < 9 | distinct N)) or true"),
            _ => String::new(),
        };
        self.say(&format!("mv-apply {a} = {outer} on ({within}{join})"));
        if kept {
            self.columns.push((x, Kind::Long));
        }
    }

    fn union_with_itself(&mut self, draw: &mut Draw) {
        let (name, source) = (self.name(), self.name());
        let condition = self.of_kind(draw, Kind::Bool, 2);
        self.say(&format!("as Q{name}"));
        let with = if draw.often(2) { format!(" withsource={source}") } else { String::new() };
        self.say(&format!("union{with} (Q{name} | where {condition}), (Q{name} | take 3)"));
        if !with.is_empty() {
            self.columns.push((source, Kind::String));
        }
    }

    fn row_functions(&mut self, draw: &mut Draw) {
        let Some(key) = self.key(draw) else { return };
        let (number, time) = (self.of_kind(draw, Kind::Long, 1), self.of_kind(draw, Kind::DateTime, 1));
        let condition = self.of_kind(draw, Kind::Bool, 1);
        let names = [self.name(), self.name(), self.name(), self.name()];
        let [sum, next, rank, session] = &names;
        self.say(&format!("sort by {key} asc"));
        self.say(&format!(
            "extend {sum} = row_cumsum(tolong({number}), {condition}), {next} = next({key}, 2), \
             {rank} = row_rank_dense({key}), {session} = row_window_session({time}, 2h, 10m, {key} != prev({key}))"
        ));
        let kinds = [Kind::Long, self.kind_of(&key), Kind::Long, Kind::DateTime];
        self.columns.extend(names.into_iter().zip(kinds));
    }

    fn plugin(&mut self, draw: &mut Draw) {
        let Some(key) = self.key(draw) else { return };
        match draw.below(3) {
            0 => {
                let (text, count) = (self.made(draw, Kind::String), self.name());
                self.say(&format!("summarize {count} = count() by {key}, {text} = substring({text}, 0, 3)"));
                self.say(&format!("evaluate pivot({text}, sum({count}))"));
                self.columns = vec![(key.clone(), self.kind_of(&key))];
            }
            1 => {
                let bag = self.made(draw, Kind::Dynamic);
                self.say(&format!("project {key}, {bag}"));
                self.say(&format!("evaluate bag_unpack({bag}, 'bag_')"));
                self.columns = vec![(key.clone(), self.kind_of(&key))];
            }
            _ => {
                self.say("take 20");
                self.say("evaluate narrow()");
                self.columns = [("Row", Kind::Long), ("Column", Kind::String), ("Value", Kind::String)]
                    .map(|(name, kind)| (name.to_owned(), kind))
                    .to_vec();
            }
        }
    }

    fn pairs(&mut self, draw: &mut Draw) {
        let (text, a, b) = (self.made(draw, Kind::String), self.name(), self.name());
        self.say(&format!("extend {a} = '', {b} = 0"));
        self.say(&format!("project-away {a}, {b}"));
        self.say(&format!("parse-kv {text} as (user: string, n: long) with (pair_delimiter=' ', kv_delimiter='=')"));
        self.say(&format!("project-rename {a} = user, {b} = n"));
        self.columns.extend([(a, Kind::String), (b, Kind::Long)]);
    }

    fn late(&mut self, draw: &mut Draw) {
        let most = draw.below(20);
        match draw.below(3) {
            0 => {
                let text = self.of_kind(draw, Kind::String, 1);
                let operator = *draw.one(&["in", "!in", "in~", "has_any"]);
                self.say(&format!("where {text} {operator} ((T | where N < {most} | distinct User))"));
            }
            1 => {
                let (name, number) = (self.name(), self.of_kind(draw, Kind::Long, 1));
                self.say(&format!(
                    "extend {name} = tolong(toscalar(T | where N > {most} | summarize max(N))) + {number}"
                ));
                self.columns.push((name, Kind::Long));
            }
            _ => {
                let number = self.of_kind(draw, Kind::Long, 1);
                self.say(&format!("where {number} >= toscalar(T | where N < {most} | summarize avg(N))"));
            }
        }
    }

    fn summarize_dynamics(&mut self, draw: &mut Draw) {
        const CALLS: &[(&str, Kind)] = &[
            ("make_bag($j)", Kind::Dynamic),
            ("make_list_with_nulls($j)", Kind::Dynamic),
            ("make_set($j, 10)", Kind::Dynamic),
            ("make_list($j, 5)", Kind::Dynamic),
            ("make_set_if($n, $b)", Kind::Dynamic),
            ("buildschema($j)", Kind::Dynamic),
            ("dcount_hll(hll($s))", Kind::Long),
            ("percentile_tdigest(tdigest(toreal($r)), 50)", Kind::Real),
            ("percentiles_array(tolong($n), 10, 50, 90)", Kind::Dynamic),
            ("percentilew(tolong($n), 1 + strlen($s), 50)", Kind::Long),
            ("countif($j == 1)", Kind::Long),
            ("take_anyif(tostring($s), $b)", Kind::String),
            ("minif($t, $b)", Kind::DateTime),
            ("covariance(toreal($n), toreal($n))", Kind::Real),
            ("binary_all_or(tolong($n))", Kind::Long),
        ];
        let made = self.calls(draw, CALLS, 2);
        let (by, key) = (self.name(), self.of_kind(draw, Kind::Long, 2));
        self.summarized(made, vec![(by, format!("tolong({key}) % 5"), Kind::Long)]);
    }

    /// Columns whose names are not among those of the first table.
    pub(super) fn reorder(&mut self, draw: &mut Draw) {
        let first = self.any(draw);
        match draw.below(3) {
            0 => self.say(&format!("project-reorder {first}, * desc")),
            1 => self.say(&format!("project-reorder * asc, {first}")),
            _ => {
                let is_made = |name: &str| name.starts_with('c');
                if self.columns.iter().any(|(name, _)| is_made(name)) && COLUMNS.len() > 2 {
                    self.say("project-keep c*");
                    self.columns.retain(|(name, _)| is_made(name));
                }
            }
        }
    }
}
