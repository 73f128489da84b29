# ruff: noqa: E501
"""The items of `compare_functions.py`: one query in KQL, and its nearest equivalents in Polars and SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

import polars as pl

Frames = dict[str, pl.LazyFrame]
c = pl.col


@dataclass
class Item:
    name: str
    kql: str
    polars: Optional[Callable[[Frames], pl.LazyFrame]]
    sql: Optional[str]
    # Whether the answer is a table, which each engine keeps in its own form.
    table: bool = False


ITEMS: list[Item] = []

# What the language asks for that the nearest equivalent does not do, by patterns of the items' names.
REASONS: list[tuple[str, str]] = [
    (r"^where !?has|^search", "a term ends where letters and digits end"),
    (r"dcount ids by", "counted exactly, beside estimates"),
    (r"^to(long|int|double)\(text\)|^todecimal", "blanks, hexadecimal digits and reals are numbers too"),
    (r"^tostring\(real\)", "the spelling of .NET"),
    (r"^where in~ 3 texts", "DuckDB leaves blocks out by their smallest and largest text"),
    (r"^indexof", "a place is a number of characters, and not of bytes"),
    (r"^hash$", "XXH64, as documented"),
    (
        r"parse_json|todynamic|extractjson|^bag_keys|^array_length json|^mv-expand json",
        "a text that is no JSON is a string, so each is read to its end",
    ),
    (r"^mv-expand list kept", "elements are dynamic values, and not numbers"),
    (r"where ipv4_", "addresses may have prefixes, and texts may be none"),
    (r"^parse_command_line", "the quotes of Windows"),
    (r"^(sqrt|exp|log|log2|pow|\* \+ real|long / real|toreal|abs|floor|ceiling|bin real)", "reals are summed exactly"),
]


def where(name: str, kql: str, polars: pl.Expr | None, sql: str | None, table: str = "E") -> None:
    """A filter, whose rows are counted."""
    run = None if polars is None else lambda f: f[table].filter(polars).select(pl.len())
    sql = sql and f"SELECT count(*) FROM {table} WHERE {sql}"
    ITEMS.append(Item(f"where {name}", f"{table} | where {kql} | count", run, sql))


def value(name: str, kql: str, polars: pl.Expr | None, sql: str | None, table: str = "E", fold: str = "sum") -> None:
    """A number or a time for every row, whose sum or maximum is taken."""
    run = None if polars is None else lambda f: f[table].select(getattr(polars, fold)())
    sql = sql and f"SELECT {fold}({sql}) FROM {table}"
    ITEMS.append(Item(name, f"{table} | summarize {fold}({kql})", run, sql))


def text(name: str, kql: str, polars: pl.Expr | None, sql: str | None, table: str = "E") -> None:
    """A text for every row, whose bytes are counted."""
    polars = polars.str.len_bytes() if polars is not None else None
    value(name, f"string_size({kql})", polars, sql and f"strlen({sql})", table)


def query(
    name: str, kql: str, polars: Callable[[Frames], pl.LazyFrame] | None, sql: str | None, table: bool = True
) -> None:
    ITEMS.append(Item(name, kql, polars, sql, table))


def by(name: str, keys: list[str], kql: str, polars: pl.Expr, sql: str) -> None:
    """One aggregate for the groups of some keys."""
    listed = ", ".join(keys)
    query(
        f"summarize {name} by {listed or 'nothing'}",
        f"E | summarize x = {kql} by {listed}" if keys else f"E | summarize x = {kql}",
        (lambda f: f["E"].group_by(keys).agg(polars.alias("x")))
        if keys
        else (lambda f: f["E"].select(polars.alias("x"))),
        f"SELECT {listed}, {sql} AS x FROM E GROUP BY {listed}" if keys else f"SELECT {sql} AS x FROM E",
    )


def quoted(values: list[str]) -> str:
    return ", ".join(f"'{v}'" for v in values)


# Filters.
where("long ==", "Code == 7", c.Code == 7, "Code = 7")
where(
    "long < and >",
    "Bytes > 1000 and Bytes < 500000",
    (c.Bytes > 1000) & (c.Bytes < 500000),
    "Bytes > 1000 AND Bytes < 500000",
)
where("real >", "Score > 50.5", c.Score > 50.5, "Score > 50.5")
where(
    "datetime between",
    "Time between (datetime(2026-03-03) .. datetime(2026-03-05))",
    c.Time.is_between(pl.datetime(2026, 3, 3), pl.datetime(2026, 3, 5)),
    "Time BETWEEN TIMESTAMP '2026-03-03' AND TIMESTAMP '2026-03-05'",
)
where(
    "== few values", "Host == 'host-07.corp.example'", c.Host == "host-07.corp.example", "Host = 'host-07.corp.example'"
)
where("== many values", "User == 'user77@contoso.com'", c.User == "user77@contoso.com", "User = 'user77@contoso.com'")
where("==", "IdText == '123456789'", c.IdText == "123456789", "IdText = '123456789'")
where("!=", "IdText != '123456789'", c.IdText != "123456789", "IdText <> '123456789'")
where("columns ==", "IdText == ScoreText", c.IdText == c.ScoreText, "IdText = ScoreText")
where("long columns <", "Bytes < Id", c.Bytes < c.Id, "Bytes < Id")
where("long % ==", "Id % 7 == 3", c.Id % 7 == 3, "Id % 7 = 3")
where(
    "=~",
    "Padded =~ '  ALPHA1 1234  '",
    c.Padded.str.to_lowercase() == "  alpha1 1234  ",
    "lower(Padded) = '  alpha1 1234  '",
)
where(
    "!~",
    "Padded !~ '  ALPHA1 1234  '",
    c.Padded.str.to_lowercase() != "  alpha1 1234  ",
    "lower(Padded) <> '  alpha1 1234  '",
)
where(
    "has",
    "Command has 'gamma77'",
    c.Command.str.contains(r"(?i)\bgamma77\b"),
    r"regexp_matches(Command, '(?i)\bgamma77\b')",
)
where(
    "!has",
    "Command !has 'gamma77'",
    ~c.Command.str.contains(r"(?i)\bgamma77\b"),
    r"NOT regexp_matches(Command, '(?i)\bgamma77\b')",
)
where(
    "has_cs",
    "Command has_cs 'Gamma77'",
    c.Command.str.contains(r"\bGamma77\b"),
    r"regexp_matches(Command, '\bGamma77\b')",
)
where(
    "contains",
    "Command contains 'GAMMA77'",
    c.Command.str.contains_any(["gamma77"], ascii_case_insensitive=True),
    "Command ILIKE '%GAMMA77%'",
)
where(
    "!contains",
    "Command !contains 'GAMMA77'",
    ~c.Command.str.contains_any(["gamma77"], ascii_case_insensitive=True),
    "Command NOT ILIKE '%GAMMA77%'",
)
where(
    "contains_cs",
    "Command contains_cs 'Gamma77'",
    c.Command.str.contains("Gamma77", literal=True),
    "contains(Command, 'Gamma77')",
)
where(
    "startswith",
    "Url startswith 'HTTPS://HOST-07'",
    c.Url.str.slice(0, 15).str.to_lowercase() == "https://host-07",
    "lower(Url[:15]) = 'https://host-07'",
)
where(
    "startswith_cs",
    "Url startswith_cs 'https://host-07'",
    c.Url.str.starts_with("https://host-07"),
    "starts_with(Url, 'https://host-07')",
)
where(
    "!startswith",
    "Url !startswith 'HTTPS://HOST-07'",
    c.Url.str.slice(0, 15).str.to_lowercase() != "https://host-07",
    "lower(Url[:15]) <> 'https://host-07'",
)
where(
    "endswith",
    "Command endswith '07.CORP.example'",
    c.Command.str.to_lowercase().str.ends_with("07.corp.example"),
    "ends_with(lower(Command), '07.corp.example')",
)
where(
    "endswith_cs",
    "Command endswith_cs '07.corp.example'",
    c.Command.str.ends_with("07.corp.example"),
    "ends_with(Command, '07.corp.example')",
)
where(
    "matches regex",
    r"Command matches regex @'id:\d+7 .*host-0[1-3]'",
    c.Command.str.contains(r"id:\d+7 .*host-0[1-3]"),
    r"regexp_matches(Command, 'id:\d+7 .*host-0[1-3]')",
)
where(
    "matches regex (?i)",
    r"Command matches regex @'(?i)invoke\s+GAMMA\d{3}'",
    c.Command.str.contains(r"(?i)invoke\s+GAMMA\d{3}"),
    r"regexp_matches(Command, '(?i)invoke\s+GAMMA\d{3}')",
)
FEW = ["gamma77", "alpha3", "delta499"]
SOME = [f"term{i}" for i in range(497)] + FEW
where(
    "has_any of 3",
    f"Command has_any ({quoted(FEW)})",
    c.Command.str.contains_any(FEW, ascii_case_insensitive=True),
    None,
)
where(
    "has_any of 500",
    f"Command has_any ({quoted(SOME)})",
    c.Command.str.contains_any(SOME, ascii_case_insensitive=True),
    None,
)
where(
    "has_all of 3",
    "Command has_all ('windows', 'gamma77', 'target')",
    c.Command.str.contains(r"(?i)\bwindows\b")
    & c.Command.str.contains(r"(?i)\bgamma77\b")
    & c.Command.str.contains(r"(?i)\btarget\b"),
    r"regexp_matches(Command, '(?i)\bwindows\b') AND regexp_matches(Command, '(?i)\bgamma77\b') AND regexp_matches(Command, '(?i)\btarget\b')",
)
where(
    "has_all of 500",
    f"Command has_all ({quoted(SOME)})",
    pl.lit(value=True) & c.Command.str.contains_any(SOME, ascii_case_insensitive=True),
    None,
)
LISTED = [f"user{i}@contoso.com" for i in range(0, 100_000, 2000)]
NUMBERS = ", ".join(str(i) for i in range(0, 1_000_000, 1000))
where(
    "in 3 texts", "IdText in ('17', '99', '100')", c.IdText.is_in(["17", "99", "100"]), "IdText IN ('17', '99', '100')"
)
where("in 50 texts", f"User in ({quoted(LISTED)})", c.User.is_in(LISTED), f"User IN ({quoted(LISTED)})")
where("!in 50 texts", f"User !in ({quoted(LISTED)})", ~c.User.is_in(LISTED), f"User NOT IN ({quoted(LISTED)})")
where(
    "in 1000 texts",
    f"IdText in ({quoted(NUMBERS.split(', '))})",
    c.IdText.is_in(NUMBERS.split(", ")),
    f"IdText IN ({quoted(NUMBERS.split(', '))})",
)
where(
    "in~ 50 texts",
    f"User in~ ({quoted(LISTED)})",
    c.User.str.to_lowercase().is_in(LISTED),
    f"lower(User) IN ({quoted(LISTED)})",
)
where(
    "in~ 3 texts",
    "Padded in~ ('17', 'ALPHA', 'x')",
    c.Padded.str.to_lowercase().is_in(["17", "alpha", "x"]),
    "lower(Padded) IN ('17', 'alpha', 'x')",
)
where("in 3 longs", "Code in (3, 77, 500)", c.Code.is_in([3, 77, 500]), "Code IN (3, 77, 500)")
where(
    "in 1000 longs",
    f"Bytes in ({NUMBERS})",
    c.Bytes.is_in([int(i) for i in NUMBERS.split(", ")]),
    f"Bytes IN ({NUMBERS})",
)

query(
    "where in a table",
    "E | where User in ((P | project User)) | count",
    lambda f: f["E"].join(f["P"], on="User", how="semi").select(pl.len()),
    "SELECT count(*) FROM E WHERE User IN (SELECT User FROM P)",
    table=False,
)
where("long between", "Bytes between (1000 .. 5000)", c.Bytes.is_between(1000, 5000), "Bytes BETWEEN 1000 AND 5000")
where("isempty", "isempty(Maybe)", c.Maybe == "", "Maybe = ''")
where("isnotempty", "isnotempty(Maybe)", c.Maybe != "", "Maybe <> ''")
where("isnotnull", "isnotnull(Bytes)", c.Bytes.is_not_null(), "Bytes IS NOT NULL")
where(
    "and or not",
    "(Code < 100 or Bytes > 900000) and not(Score < 50)",
    ((c.Code < 100) | (c.Bytes > 900000)) & ~(c.Score < 50),
    "(Code < 100 OR Bytes > 900000) AND NOT (Score < 50)",
)

# Arithmetic and numbers.
value("+ - * long", "Bytes * 3 + Code - 7", c.Bytes * 3 + c.Code - 7, "Bytes * 3 + Code - 7")
value("/ long", "Bytes / 7", c.Bytes // 7, "Bytes // 7")
value("% long", "Id % 1009", c.Id % 1009, "Id % 1009")
value("* + real", "Score * 1.5 + 2.0", c.Score * 1.5 + 2.0, "Score * 1.5::DOUBLE + 2.0::DOUBLE")
value("long / real", "Bytes / 1024.0", c.Bytes / 1024.0, "Bytes / 1024.0::DOUBLE")
value("abs", "abs(Signed)", c.Signed.abs(), "abs(Signed)")
value("round", "round(Score, 2)", c.Score.round(2), "round(Score, 2)")
value("floor", "floor(Score, 1)", c.Score.floor(), "floor(Score)")
value("ceiling", "ceiling(Score)", c.Score.ceil(), "ceil(Score)")
value("exp", "exp(Signed)", c.Signed.exp(), "exp(Signed)")
value("log", "log(Score + 1)", (c.Score + 1).log(), "ln(Score + 1)")
value("log2", "log2(Score + 1)", (c.Score + 1).log(2), "log2(Score + 1)")
value("pow", "pow(Score, 2.5)", c.Score.pow(2.5), "pow(Score, 2.5::DOUBLE)")
value("sqrt", "sqrt(Score)", c.Score.sqrt(), "sqrt(Score)")
value("max_of", "max_of(Bytes, Code)", pl.max_horizontal("Bytes", "Code"), "greatest(Bytes, Code)")
value("binary_and", "binary_and(Id, 255)", c.Id & 255, "Id & 255")
value("binary_shift_left", "binary_shift_left(Code, 3)", c.Code * 8, "Code << 3")
value("bin long", "bin(Bytes, 1000)", c.Bytes // 1000 * 1000, "Bytes // 1000 * 1000")
value("bin real", "bin(Score, 0.5)", (c.Score / 0.5).floor() * 0.5, "floor(Score / 0.5::DOUBLE) * 0.5::DOUBLE")
value("tolong(real)", "tolong(Score)", c.Score.cast(pl.Int64), "trunc(Score)::BIGINT")
value("toreal(long)", "toreal(Bytes)", c.Bytes.cast(pl.Float64), "Bytes::DOUBLE")

# Conversions.
value("tolong(text)", "tolong(IdText)", c.IdText.cast(pl.Int64, strict=False), "TRY_CAST(IdText AS BIGINT)")
value("toint(text)", "toint(IdText)", c.IdText.cast(pl.Int32, strict=False), "TRY_CAST(IdText AS INTEGER)")
value(
    "todouble(text)", "todouble(ScoreText)", c.ScoreText.cast(pl.Float64, strict=False), "TRY_CAST(ScoreText AS DOUBLE)"
)
value(
    "todatetime(text)",
    "todatetime(TimeText)",
    c.TimeText.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us"),
    "TRY_CAST(TimeText AS TIMESTAMP)",
    fold="max",
)
text("tostring(long)", "tostring(Id)", c.Id.cast(pl.String), "Id::VARCHAR")
text("tostring(real)", "tostring(Score)", c.Score.cast(pl.String), "Score::VARCHAR")
text(
    "tostring(datetime)",
    "tostring(Time)",
    c.Time.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
    "strftime(Time, '%Y-%m-%dT%H:%M:%S.%fZ')",
)
where("tobool", "tobool(Code)", c.Code.cast(pl.Boolean), "Code::BOOLEAN")
text("tohex", "tohex(Id)", None, "to_hex(Id)")
text(
    "todecimal",
    "tostring(todecimal(ScoreText))",
    c.ScoreText.cast(pl.Decimal(38, 15)).cast(pl.String),
    "CAST(CAST(ScoreText AS DECIMAL(38, 15)) AS VARCHAR)",
)

# Times.
value("bin datetime 1h", "bin(Time, 1h)", c.Time.dt.truncate("1h"), "time_bucket(INTERVAL 1 HOUR, Time)", fold="max")
value("startofday", "startofday(Time)", c.Time.dt.truncate("1d"), "date_trunc('day', Time)", fold="max")
value("startofweek", "startofweek(Time)", c.Time.dt.truncate("1w"), "date_trunc('week', Time)", fold="max")
value("startofmonth", "startofmonth(Time)", c.Time.dt.truncate("1mo"), "date_trunc('month', Time)", fold="max")
value("startofyear", "startofyear(Time)", c.Time.dt.truncate("1y"), "date_trunc('year', Time)", fold="max")
value(
    "endofday",
    "endofday(Time)",
    c.Time.dt.truncate("1d") + pl.duration(days=1, microseconds=-1),
    "date_trunc('day', Time) + INTERVAL '23:59:59.999999'",
    fold="max",
)
value("hourofday", "hourofday(Time)", c.Time.dt.hour().cast(pl.Int64), "hour(Time)")
value(
    "dayofweek",
    "dayofweek(Time)",
    c.Time.dt.weekday().cast(pl.Int64).cast(pl.Duration("us")),
    "dayofweek(Time)",
    fold="max",
)
value("datetime_part", "datetime_part('minute', Time)", c.Time.dt.minute().cast(pl.Int64), "minute(Time)")
value("datetime_part year", "datetime_part('year', Time)", c.Time.dt.year().cast(pl.Int64), "year(Time)")
value(
    "datetime_diff day",
    "datetime_diff('day', datetime(2026-03-20), Time)",
    (pl.date(2026, 3, 20) - c.Time.dt.date()).dt.total_days(),
    "date_diff('day', Time, TIMESTAMP '2026-03-20')",
)
value("datetime_add", "datetime_add('day', 3, Time)", c.Time.dt.offset_by("3d"), "Time + INTERVAL 3 DAY", fold="max")
value(
    "datetime - datetime",
    "datetime(2026-03-20) - Time",
    pl.datetime(2026, 3, 20) - c.Time,
    "TIMESTAMP '2026-03-20' - Time",
    fold="max",
)
text(
    "format_datetime",
    "format_datetime(Time, 'yyyy-MM-dd HH:mm')",
    c.Time.dt.strftime("%Y-%m-%d %H:%M"),
    "strftime(Time, '%Y-%m-%d %H:%M')",
)
text("format_timespan", "format_timespan(datetime(2026-03-20) - Time, 'd.hh:mm:ss')", None, None)
where("ago", "Time > ago(7d)", c.Time > pl.datetime(2026, 3, 8), "Time > TIMESTAMP '2026-03-08'")

# Texts.
text("strcat of 3", "strcat(Verb, '/', IdText)", pl.concat_str("Verb", pl.lit("/"), "IdText"), "Verb || '/' || IdText")
text("strcat with long", "strcat(Verb, ' ', Id)", pl.format("{} {}", "Verb", "Id"), "concat(Verb, ' ', Id)")
text("tolower", "tolower(Command)", c.Command.str.to_lowercase(), "lower(Command)")
text("toupper", "toupper(Command)", c.Command.str.to_uppercase(), "upper(Command)")
text("substring", "substring(Command, 5, 20)", c.Command.str.slice(5, 20), "substring(Command, 6, 20)")
value("strlen", "strlen(Command)", c.Command.str.len_chars().cast(pl.Int64), "length(Command)")
value("string_size", "string_size(Command)", c.Command.str.len_bytes().cast(pl.Int64), "strlen(Command)")
value(
    "indexof",
    "indexof(Command, '/id:')",
    c.Command.str.find("/id:", literal=True).cast(pl.Int64),
    "instr(Command, '/id:')",
)
value(
    "countof",
    "countof(Command, 'e')",
    c.Command.str.count_matches("e", literal=True).cast(pl.Int64),
    "len(Command) - len(replace(Command, 'e', ''))",
)
value(
    "countof regex",
    r"countof(Command, @'\d+', 'regex')",
    c.Command.str.count_matches(r"\d+").cast(pl.Int64),
    r"len(regexp_extract_all(Command, '\d+'))",
)
text("reverse", "reverse(Command)", c.Command.str.reverse(), "reverse(Command)")
text("trim", r"trim(@'\s+', Padded)", c.Padded.str.strip_chars(), "trim(Padded)")
text("trim_start", r"trim_start('C:', Command)", c.Command.str.strip_prefix("C:"), "regexp_replace(Command, '^C:', '')")
text(
    "trim_end",
    r"trim_end('example', Command)",
    c.Command.str.strip_suffix("example"),
    "regexp_replace(Command, 'example$', '')",
)
text(
    "replace_string",
    "replace_string(Command, 'System32', 'X')",
    c.Command.str.replace_all("System32", "X", literal=True),
    "replace(Command, 'System32', 'X')",
)
text(
    "replace_regex",
    r"replace_regex(Command, @'\d+', '#')",
    c.Command.str.replace_all(r"\d+", "#"),
    r"regexp_replace(Command, '\d+', '#', 'g')",
)
text("translate", "translate('abc', 'xyz', Command)", None, "translate(Command, 'abc', 'xyz')")
text(
    "extract",
    r"extract(@'/id:(\d+)', 1, Command)",
    c.Command.str.extract(r"/id:(\d+)", 1),
    r"regexp_extract(Command, '/id:(\d+)', 1)",
)
value(
    "extract long",
    r"extract(@'/id:(\d+)', 1, Command, typeof(long))",
    c.Command.str.extract(r"/id:(\d+)", 1).cast(pl.Int64),
    r"regexp_extract(Command, '/id:(\d+)', 1)::BIGINT",
)
value(
    "extract_all",
    r"array_length(extract_all(@'(\d+)', Command))",
    c.Command.str.extract_all(r"\d+").list.len().cast(pl.Int64),
    r"len(regexp_extract_all(Command, '\d+'))",
)
value(
    "split",
    "array_length(split(Command, ' '))",
    c.Command.str.split(" ").list.len().cast(pl.Int64),
    "len(string_split(Command, ' '))",
)
text(
    "split()[1]",
    "tostring(split(Command, ' ')[1])",
    c.Command.str.split(" ").list.get(1),
    "string_split(Command, ' ')[2]",
)
text(
    "strcat_array",
    "strcat_array(split(Command, ' '), '+')",
    c.Command.str.split(" ").list.join("+"),
    "array_to_string(string_split(Command, ' '), '+')",
)
text(
    "base64_encode",
    "base64_encode_tostring(Padded)",
    c.Padded.cast(pl.Binary).bin.encode("base64"),
    "base64(encode(Padded))",
)
text(
    "base64_decode",
    "base64_decode_tostring(Encoded)",
    c.Encoded.str.decode("base64").cast(pl.String),
    "decode(from_base64(Encoded))",
)
text("url_encode", "url_encode(Url)", None, "url_encode(Url)")
text("url_decode", "url_decode(Url)", None, "url_decode(Url)")
value("hash", "hash(IdText, 100)", (c.IdText.hash() % 100).cast(pl.Int64), "hash(IdText) % 100")
text("hash_sha256", "hash_sha256(IdText)", None, "sha256(IdText)")
text("hash_md5", "hash_md5(IdText)", None, "md5(IdText)")
text("hash_sha1", "hash_sha1(IdText)", None, "sha1(IdText)")

# Choices.
value(
    "iff",
    "iff(Code > 500, Bytes, Code)",
    pl.when(c.Code > 500).then("Bytes").otherwise("Code"),
    "CASE WHEN Code > 500 THEN Bytes ELSE Code END",
)
text(
    "iff text",
    "iff(Code > 500, IdText, 'small')",
    pl.when(c.Code > 500).then("IdText").otherwise(pl.lit("small")),
    "CASE WHEN Code > 500 THEN IdText ELSE 'small' END",
)
text(
    "case of 3",
    "case(Code < 100, 'low', Code < 500, 'middle', 'high')",
    pl.when(c.Code < 100).then(pl.lit("low")).when(c.Code < 500).then(pl.lit("middle")).otherwise(pl.lit("high")),
    "CASE WHEN Code < 100 THEN 'low' WHEN Code < 500 THEN 'middle' ELSE 'high' END",
)
text(
    "coalesce text",
    "coalesce(Maybe, IdText)",
    pl.when(c.Maybe == "").then("IdText").otherwise("Maybe"),
    "coalesce(nullif(Maybe, ''), IdText)",
)
value(
    "coalesce long",
    "coalesce(tolong(Maybe), Bytes)",
    pl.coalesce(c.Maybe.cast(pl.Int64, strict=False), "Bytes"),
    "coalesce(TRY_CAST(Maybe AS BIGINT), Bytes)",
)

# Dynamic values.
text(
    "parse_json().a.b",
    "tostring(parse_json(Json).a.b)",
    c.Json.str.json_path_match("$.a.b"),
    "json_extract_string(Json, '$.a.b')",
)
value(
    "tolong(parse_json().a.b)",
    "tolong(parse_json(Json).a.b)",
    c.Json.str.json_path_match("$.a.b").cast(pl.Int64),
    "json_extract_string(Json, '$.a.b')::BIGINT",
)
text(
    "parse_json, 3 paths",
    "strcat(parse_json(Json).a.b, parse_json(Json).user, parse_json(Json).list[1])",
    pl.concat_str(*(c.Json.str.json_path_match(p) for p in ("$.a.b", "$.user", "$.list[1]"))),
    "concat(json_extract_string(Json, '$.a.b'), json_extract_string(Json, '$.user'), json_extract_string(Json, '$.list[1]'))",
)
text(
    "extractjson",
    "extractjson('$.a.name', Json)",
    c.Json.str.json_path_match("$.a.name"),
    "json_extract_string(Json, '$.a.name')",
)
value("bag_keys", "array_length(bag_keys(todynamic(Json)))", None, "len(json_keys(Json))")
text("todynamic tostring", "tostring(todynamic(Json))", None, "json(Json)")
text(
    "pack",
    "tostring(bag_pack('id', Id, 'verb', Verb))",
    pl.struct("Id", "Verb").struct.json_encode(),
    "json_object('id', Id, 'verb', Verb)::VARCHAR",
)
text("pack_array", "tostring(pack_array(Id, Code))", None, "json_array(Id, Code)::VARCHAR")
query(
    "pack_all",
    "E | project Id, Verb, Code | extend b = pack_all() | summarize sum(string_size(tostring(b)))",
    lambda f: f["E"].select(pl.struct("Id", "Verb", "Code").struct.json_encode().str.len_bytes().sum()),
    "SELECT sum(strlen(json_object('Id', Id, 'Verb', Verb, 'Code', Code)::VARCHAR)) FROM E",
    table=False,
)
text(
    "parse_url().Host",
    "tostring(parse_url(Url).Host)",
    c.Url.str.extract(r"^\w+://([^:/]+)"),
    r"regexp_extract(Url, '^\w+://([^:/]+)', 1)",
)
text(
    "parse_path",
    "tostring(parse_path(Command).Filename)",
    c.Command.str.extract(r"([^\\]*)$"),
    r"parse_filename(Command, false, 'backslash')",
)
value(
    "parse_command_line",
    "array_length(parse_command_line(Command, 'windows'))",
    c.Command.str.split(" ").list.len().cast(pl.Int64),
    "len(string_split(Command, ' '))",
)
query(
    "parse",
    "E | parse Command with * '/id:' id:long ' --Target ' host | summarize sum(id)",
    lambda f: f["E"].select(c.Command.str.extract(r"/id:(\d+) --Target ").cast(pl.Int64).sum()),
    r"SELECT sum(regexp_extract(Command, '/id:(\d+) --Target ', 1)::BIGINT) FROM E",
    table=False,
)
query(
    "parse-where",
    "E | parse-where Command with * '-Get ' word ' /id:' * | summarize count(), sum(string_size(word))",
    lambda f: f["E"].select(c.Command.str.extract(r"-Get (.*?) /id:").drop_nulls().str.len_bytes().sum()),
    "SELECT sum(strlen(regexp_extract(Command, '-Get (.*?) /id:', 1))) FROM E WHERE regexp_matches(Command, '-Get (.*?) /id:')",
    table=False,
)
value("array_length list", "array_length(Numbers)", c.Numbers.list.len().cast(pl.Int64), "len(Numbers)", table="A")
value("array_length json", "array_length(todynamic(Json))", None, "json_array_length(Json)", table="A")
value("list[1]", "tolong(Numbers[1])", c.Numbers.list.get(1), "Numbers[2]", table="A")
value("array_sum", "array_sum(Numbers)", c.Numbers.list.sum().cast(pl.Float64), "list_sum(Numbers)", table="A")
value(
    "array_concat",
    "array_length(array_concat(Numbers, Others))",
    c.Numbers.list.concat("Others").list.len().cast(pl.Int64),
    "len(list_concat(Numbers, Others))",
    table="A",
)
value(
    "array_slice",
    "array_length(array_slice(Numbers, 1, 2))",
    c.Numbers.list.slice(1, 2).list.len().cast(pl.Int64),
    "len(Numbers[2:3])",
    table="A",
)
value(
    "array_sort_asc",
    "tolong(array_sort_asc(Numbers)[0])",
    c.Numbers.list.sort().list.get(0),
    "list_sort(Numbers)[1]",
    table="A",
)
value("array_index_of", "array_index_of(Numbers, 77)", None, "list_position(Numbers, 77)", table="A")
value(
    "set_union",
    "array_length(set_union(Numbers, Others))",
    c.Numbers.list.set_union("Others").list.len().cast(pl.Int64),
    "len(list_distinct(list_concat(Numbers, Others)))",
    table="A",
)
value(
    "set_intersect",
    "array_length(set_intersect(Numbers, Others))",
    c.Numbers.list.set_intersection("Others").list.len().cast(pl.Int64),
    "len(list_intersect(Numbers, Others))",
    table="A",
)
value(
    "set_difference",
    "array_length(set_difference(Numbers, Others))",
    c.Numbers.list.set_difference("Others").list.len().cast(pl.Int64),
    None,
    table="A",
)
value("set_difference json", "array_length(set_difference(todynamic(Json), Others))", None, None, table="A")
where(
    "set_has_element",
    "set_has_element(Numbers, 77)",
    c.Numbers.list.contains(77),
    "list_contains(Numbers, 77)",
    table="A",
)
value(
    "jaccard_index",
    "jaccard_index(Numbers, Others)",
    c.Numbers.list.set_intersection("Others").list.len() / c.Numbers.list.set_union("Others").list.len(),
    None,
    table="A",
)
text("tostring(list)", "tostring(Numbers)", None, "to_json(Numbers)::VARCHAR", table="A")

# Addresses.
PRIVATE = r"^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)"
where(
    "ipv4_is_private",
    "ipv4_is_private(Address)",
    c.Address.str.contains(PRIVATE),
    f"regexp_matches(Address, '{PRIVATE}')",
)
where(
    "ipv4_is_in_range",
    "ipv4_is_in_range(Address, '10.0.0.0/8')",
    c.Address.str.contains(r"^10\.\d+\.\d+\.\d+$"),
    r"regexp_matches(Address, '^10\.\d+\.\d+\.\d+$')",
)
where(
    "ipv4_is_match",
    "ipv4_is_match(Address, '192.168.1.0', 24)",
    c.Address.str.contains(r"^192\.168\.1\.\d+$"),
    r"regexp_matches(Address, '^192\.168\.1\.\d+$')",
)
PARTS = c.Address.str.split(".").list.eval(pl.element().cast(pl.Int64))
value(
    "parse_ipv4",
    "parse_ipv4(Address)",
    PARTS.list.get(0) * 16777216 + PARTS.list.get(1) * 65536 + PARTS.list.get(2) * 256 + PARTS.list.get(3),
    "list_reduce(string_split(Address, '.')::BIGINT[], lambda a, b: a * 256 + b)",
)
where(
    "has_ipv4",
    "has_ipv4(Url, '10.1.2.3')",
    c.Url.str.contains(r"(^|\D)10\.1\.2\.3(\D|$)"),
    r"regexp_matches(Url, '(^|\D)10\.1\.2\.3(\D|$)')",
)

# Summaries.
by("count", [], "count()", pl.len(), "count(*)")
by("sum", [], "sum(Bytes)", c.Bytes.sum(), "sum(Bytes)")
by("dcount", [], "dcount(User)", c.User.n_unique(), "count(DISTINCT User)")
by("dcount ids", [], "dcount(IdText)", c.IdText.approx_n_unique(), "approx_count_distinct(IdText)")
by("dcount ids, exact", [], "count_distinct(IdText)", c.IdText.n_unique(), "count(DISTINCT IdText)")
by("percentiles", [], "percentile(Bytes, 95)", c.Bytes.quantile(0.95), "quantile_disc(Bytes, 0.95)")
for keys in (["Host"], ["User"], ["Host", "Verb"], ["User", "Verb"]):
    by("count", keys, "count()", pl.len(), "count(*)")
    by("dcount", keys, "dcount(Word)", c.Word.n_unique(), "count(DISTINCT Word)")
    by("max", keys, "max(Time)", c.Time.max(), "max(Time)")
for keys in (["Code"], ["IdText"], ["IdText", "Verb"]):
    by("count", keys, "count()", pl.len(), "count(*)")
query(
    "summarize count by bin(Time)",
    "E | summarize count() by bin(Time, 1h)",
    lambda f: f["E"].group_by(c.Time.dt.truncate("1h")).len(),
    "SELECT time_bucket(INTERVAL 1 HOUR, Time), count(*) FROM E GROUP BY 1",
)
query(
    "summarize count by Host, bin(Time)",
    "E | summarize count() by Host, bin(Time, 1h)",
    lambda f: f["E"].group_by("Host", c.Time.dt.truncate("1h")).len(),
    "SELECT Host, time_bucket(INTERVAL 1 HOUR, Time), count(*) FROM E GROUP BY 1, 2",
)
for keys in (["Host"], ["User"]):
    by("sum", keys, "sum(Bytes)", c.Bytes.sum(), "sum(Bytes)")
    by("sum real", keys, "sum(Score)", c.Score.sum(), "sum(Score)")
    by("avg", keys, "avg(Bytes)", c.Bytes.mean(), "avg(Bytes)")
    by("stdev", keys, "stdev(Score)", c.Score.std(), "stddev_samp(Score)")
    by("min text", keys, "min(IdText)", c.IdText.min(), "min(IdText)")
    by("arg_max", keys, "arg_max(Bytes, IdText)", c.IdText.sort_by("Bytes").last(), "arg_max(IdText, Bytes)")
    by("arg_min time", keys, "arg_min(Time, Bytes)", c.Bytes.sort_by("Time").first(), "arg_min(Bytes, Time)")
    by("take_any", keys, "take_any(IdText)", c.IdText.first(), "first(IdText)")
    by("make_set few", keys, "make_set(Program)", c.Program.unique(), "list(DISTINCT Program)")
    by("make_set", keys, "make_set(Word)", c.Word.unique(), "list(DISTINCT Word)")
    by("make_set long", keys, "make_set(Code)", c.Code.unique(), "list(DISTINCT Code)")
    by("make_list", keys, "make_list(Bytes)", c.Bytes, "list(Bytes)")
    by("make_list text", keys, "make_list(IdText)", c.IdText, "list(IdText)")
    by(
        "make_set_if",
        keys,
        "make_set_if(Program, Code < 500)",
        c.Program.filter(c.Code < 500).unique(),
        "list(DISTINCT Program) FILTER (Code < 500)",
    )
    by("percentile", keys, "percentile(Bytes, 95)", c.Bytes.quantile(0.95), "quantile_disc(Bytes, 0.95)")
    by("countif", keys, "countif(Code < 500)", (c.Code < 500).sum(), "count(*) FILTER (Code < 500)")
    by("sumif", keys, "sumif(Bytes, Code < 500)", c.Bytes.filter(c.Code < 500).sum(), "sum(Bytes) FILTER (Code < 500)")
    by(
        "dcountif",
        keys,
        "dcountif(Word, Code < 500)",
        c.Word.filter(c.Code < 500).n_unique(),
        "count(DISTINCT Word) FILTER (Code < 500)",
    )
    by("count_distinct", keys, "count_distinct(Word)", c.Word.n_unique(), "count(DISTINCT Word)")
query(
    "summarize arg_max(Time, *)",
    "E | summarize arg_max(Time, *) by User",
    lambda f: f["E"].sort("Time").group_by("User").last(),
    "SELECT DISTINCT ON (User) * FROM E ORDER BY User, Time DESC",
)

# Rows.
query(
    "distinct few",
    "E | distinct Host, Verb",
    lambda f: f["E"].select("Host", "Verb").unique(),
    "SELECT DISTINCT Host, Verb FROM E",
)
query(
    "distinct many",
    "E | distinct User, Code",
    lambda f: f["E"].select("User", "Code").unique(),
    "SELECT DISTINCT User, Code FROM E",
)
query(
    "distinct ids", "E | distinct IdText", lambda f: f["E"].select("IdText").unique(), "SELECT DISTINCT IdText FROM E"
)
query(
    "sort long",
    "E | project Bytes, Id | sort by Bytes",
    lambda f: f["E"].select("Bytes", "Id").sort("Bytes", descending=True),
    "SELECT Bytes, Id FROM E ORDER BY Bytes DESC",
)
query(
    "sort datetime",
    "E | project Time, Id | sort by Time desc",
    lambda f: f["E"].select("Time", "Id").sort("Time", descending=True),
    "SELECT Time, Id FROM E ORDER BY Time DESC",
)
query(
    "sort real",
    "E | project Score, Id | sort by Score asc",
    lambda f: f["E"].select("Score", "Id").sort("Score"),
    "SELECT Score, Id FROM E ORDER BY Score",
)
query(
    "sort text few",
    "E | project Host, Id | sort by Host asc",
    lambda f: f["E"].select("Host", "Id").sort("Host"),
    "SELECT Host, Id FROM E ORDER BY Host",
)
query(
    "sort text",
    "E | project IdText, Id | sort by IdText asc",
    lambda f: f["E"].select("IdText", "Id").sort("IdText"),
    "SELECT IdText, Id FROM E ORDER BY IdText",
)
query(
    "sort two keys",
    "E | project Host, Time, Id | sort by Host asc, Time desc",
    lambda f: f["E"].select("Host", "Time", "Id").sort("Host", "Time", descending=[False, True]),
    "SELECT Host, Time, Id FROM E ORDER BY Host, Time DESC",
)
query(
    "top 10",
    "E | top 10 by Bytes",
    lambda f: f["E"].top_k(10, by="Bytes"),
    "SELECT * FROM E ORDER BY Bytes DESC LIMIT 10",
)
query(
    "top 1000 text",
    "E | project IdText, Id | top 1000 by IdText",
    lambda f: f["E"].select("IdText", "Id").top_k(1000, by="IdText"),
    "SELECT IdText, Id FROM E ORDER BY IdText DESC LIMIT 1000",
)
query("take", "E | take 100", lambda f: f["E"].head(100), "SELECT * FROM E LIMIT 100")
query(
    "project",
    "E | project Id, Twice = Bytes * 2, Verb",
    lambda f: f["E"].select("Id", (c.Bytes * 2).alias("Twice"), "Verb"),
    "SELECT Id, Bytes * 2 AS Twice, Verb FROM E",
)
query(
    "extend tolower kept",
    "E | project x = tolower(Command)",
    lambda f: f["E"].select(c.Command.str.to_lowercase()),
    "SELECT lower(Command) FROM E",
)
query(
    "where kept",
    "E | where Code < 100 | project Id, Command",
    lambda f: f["E"].filter(c.Code < 100).select("Id", "Command"),
    "SELECT Id, Command FROM E WHERE Code < 100",
)
query(
    "union",
    "E | union E | summarize sum(Bytes)",
    lambda f: pl.concat([f["E"].select("Bytes"), f["E"].select("Bytes")]).sum(),
    "SELECT sum(Bytes) FROM (SELECT Bytes FROM E UNION ALL SELECT Bytes FROM E)",
    table=False,
)
query(
    "search",
    "E | project Command, Url | search 'gamma77' | count",
    lambda f: (
        f["E"]
        .filter(pl.any_horizontal(c.Command.str.contains(r"(?i)\bgamma77\b"), c.Url.str.contains(r"(?i)\bgamma77\b")))
        .select(pl.len())
    ),
    r"SELECT count(*) FROM E WHERE regexp_matches(Command, '(?i)\bgamma77\b') OR regexp_matches(Url, '(?i)\bgamma77\b')",
    table=False,
)

# Joins of all events with 100,000 users.
for kind, polars_kind, sql_kind in (
    ("inner", "inner", "JOIN"),
    ("leftouter", "left", "LEFT JOIN"),
    ("rightouter", "right", "RIGHT JOIN"),
    ("fullouter", "full", "FULL JOIN"),
):
    query(
        f"join {kind}",
        f"E | project User, Bytes | join kind={kind} P on User | summarize count(), sum(Bytes), dcount(Team)",
        lambda f, k=polars_kind: (
            f["E"]
            .select("User", "Bytes")
            .join(f["P"], on="User", how=k)
            .select(pl.len(), c.Bytes.sum(), c.Team.n_unique().alias("teams"))
        ),
        f"SELECT count(*), sum(Bytes), count(DISTINCT Team) FROM E {sql_kind} P ON E.User = P.User",
        table=False,
    )
for kind, polars_kind, sql_kind in (("leftanti", "anti", "ANTI JOIN"), ("leftsemi", "semi", "SEMI JOIN")):
    query(
        f"join {kind}",
        f"E | project User, Bytes | join kind={kind} P on User | summarize count(), sum(Bytes)",
        lambda f, k=polars_kind: (
            f["E"].select("User", "Bytes").join(f["P"], on="User", how=k).select(pl.len(), c.Bytes.sum())
        ),
        f"SELECT count(*), sum(Bytes) FROM E {sql_kind} P ON E.User = P.User",
        table=False,
    )
query(
    "join rightsemi",
    "E | project User | join kind=rightsemi P on User | count",
    lambda f: f["P"].join(f["E"], on="User", how="semi").select(pl.len()),
    "SELECT count(*) FROM P SEMI JOIN E ON E.User = P.User",
    table=False,
)
query(
    "join rightanti",
    "E | project User | join kind=rightanti P on User | count",
    lambda f: f["P"].join(f["E"], on="User", how="anti").select(pl.len()),
    "SELECT count(*) FROM P ANTI JOIN E ON E.User = P.User",
    table=False,
)
query(
    "join innerunique",
    "E | project User, Bytes | join P on User | summarize count(), sum(Bytes)",
    lambda f: (
        f["E"]
        .select("User", "Bytes")
        .unique("User", keep="first")
        .join(f["P"], on="User")
        .select(pl.len(), c.Bytes.sum())
    ),
    "SELECT count(*), sum(Bytes) FROM (SELECT User, first(Bytes) AS Bytes FROM E GROUP BY User) E JOIN P ON E.User = P.User",
    table=False,
)
query(
    "join kept",
    "E | project User, Bytes, Id | join kind=inner P on User | project User, Bytes, Id, Team",
    lambda f: f["E"].select("User", "Bytes", "Id").join(f["P"], on="User"),
    "SELECT E.User, Bytes, Id, Team FROM E JOIN P ON E.User = P.User",
)
query(
    "join on long",
    "E | project Id, Bytes | join kind=inner (E | where Code < 100 | project Id) on Id | summarize count(), sum(Bytes)",
    lambda f: (
        f["E"]
        .select("Id", "Bytes")
        .join(f["E"].filter(c.Code < 100).select("Id"), on="Id")
        .select(pl.len(), c.Bytes.sum())
    ),
    "SELECT count(*), sum(E.Bytes) FROM E JOIN (SELECT Id FROM E WHERE Code < 100) r ON E.Id = r.Id",
    table=False,
)
query(
    "lookup",
    "E | project User, Bytes | lookup P on User | summarize count(), sum(Bytes), dcount(Team)",
    lambda f: (
        f["E"]
        .select("User", "Bytes")
        .join(f["P"], on="User", how="left")
        .select(pl.len(), c.Bytes.sum(), c.Team.n_unique().alias("teams"))
    ),
    "SELECT count(*), sum(Bytes), count(DISTINCT Team) FROM E LEFT JOIN P ON E.User = P.User",
    table=False,
)

# Arrays become rows.
query(
    "mv-expand list",
    "A | mv-expand n = Numbers to typeof(long) | summarize count(), sum(n)",
    lambda f: f["A"].select("Row", "Numbers").explode("Numbers").select(pl.len(), c.Numbers.sum()),
    "SELECT count(*), sum(n) FROM (SELECT Row, unnest(Numbers) AS n FROM A)",
    table=False,
)
query(
    "mv-expand list kept",
    "A | project Row, Numbers | mv-expand Numbers",
    lambda f: f["A"].select("Row", "Numbers").explode("Numbers"),
    "SELECT Row, unnest(Numbers) AS n FROM A",
)
query(
    "mv-expand json",
    "A | mv-expand n = todynamic(Json) to typeof(long) | summarize count(), sum(n)",
    lambda f: (
        f["A"].select(c.Json.str.json_decode(pl.List(pl.Int64)).alias("n")).explode("n").select(pl.len(), c.n.sum())
    ),
    "SELECT count(*), sum(n) FROM (SELECT unnest(from_json(Json, '[\"BIGINT\"]')) AS n FROM A)",
    table=False,
)
query(
    "mv-expand json texts",
    "A | mv-expand t = todynamic(Texts) to typeof(string) | summarize count(), sum(string_size(t))",
    lambda f: (
        f["A"]
        .select(c.Texts.str.json_decode(pl.List(pl.String)).alias("n"))
        .explode("n")
        .select(pl.len(), c.n.str.len_bytes().sum())
    ),
    "SELECT count(*), sum(strlen(n)) FROM (SELECT unnest(from_json(Texts, '[\"VARCHAR\"]')) AS n FROM A)",
    table=False,
)
query(
    "mv-expand json kept",
    "A | project Row, t = todynamic(Texts) | mv-expand t",
    lambda f: f["A"].select("Row", c.Texts.str.json_decode(pl.List(pl.String)).alias("t")).explode("t"),
    "SELECT Row, unnest(from_json(Texts, '[\"VARCHAR\"]')) AS t FROM A",
)
query(
    "mv-expand split",
    "E | mv-expand w = split(Command, ' ') to typeof(string) | summarize count() by w | count",
    lambda f: f["E"].select(c.Command.str.split(" ").alias("w")).explode("w").group_by("w").len().select(pl.len()),
    "SELECT count(*) FROM (SELECT w, count(*) FROM (SELECT unnest(string_split(Command, ' ')) AS w FROM E) GROUP BY w)",
    table=False,
)
query(
    "mv-apply",
    "A | mv-apply n = Numbers to typeof(long) on (summarize most = max(n)) | summarize sum(most)",
    lambda f: f["A"].select(c.Numbers.list.max().sum()),
    "SELECT sum(list_max(Numbers)) FROM A",
    table=False,
)
query(
    "mv-apply where",
    "A | mv-apply n = Numbers to typeof(long) on (where n > 900) | summarize count(), sum(n)",
    lambda f: (
        f["A"].select("Row", "Numbers").explode("Numbers").filter(c.Numbers > 900).select(pl.len(), c.Numbers.sum())
    ),
    "SELECT count(*), sum(n) FROM (SELECT Row, unnest(Numbers) AS n FROM A) WHERE n > 900",
    table=False,
)

# Series.
query(
    "make-series",
    "E | make-series n = count(), s = sum(Bytes) on Time from datetime(2026-03-01) to datetime(2026-03-15) step 1h by Host",
    lambda f: (
        f["E"]
        .group_by("Host", c.Time.dt.truncate("1h"))
        .agg(pl.len(), c.Bytes.sum())
        .sort("Time")
        .group_by("Host")
        .agg("Time", "len", "Bytes")
    ),
    "SELECT Host, list(t ORDER BY t), list(n ORDER BY t), list(s ORDER BY t) FROM (SELECT Host, time_bucket(INTERVAL 1 HOUR, Time) AS t, count(*) AS n, sum(Bytes) AS s FROM E GROUP BY 1, 2) GROUP BY Host",
)
query(
    "serialize prev",
    "E | serialize | extend gap = Bytes - prev(Bytes) | summarize max(gap)",
    lambda f: f["E"].select((c.Bytes - c.Bytes.shift(1)).max()),
    "SELECT max(gap) FROM (SELECT Bytes - lag(Bytes) OVER () AS gap FROM E)",
    table=False,
)
query(
    "serialize next",
    "E | serialize | extend gap = next(Bytes) - Bytes | summarize max(gap)",
    lambda f: f["E"].select((c.Bytes.shift(-1) - c.Bytes).max()),
    "SELECT max(gap) FROM (SELECT lead(Bytes) OVER () - Bytes AS gap FROM E)",
    table=False,
)
query(
    "row_number",
    "E | serialize n = row_number() | summarize sum(n)",
    lambda f: f["E"].with_row_index().select(c.index.cast(pl.Int64).sum()),
    "SELECT sum(n) FROM (SELECT row_number() OVER () AS n FROM E)",
    table=False,
)
query(
    "row_cumsum",
    "E | serialize n = row_cumsum(Bytes) | summarize max(n)",
    lambda f: f["E"].select(c.Bytes.cum_sum().max()),
    "SELECT max(n) FROM (SELECT sum(Bytes) OVER (ROWS UNBOUNDED PRECEDING) AS n FROM E)",
    table=False,
)
query(
    "row_window_session",
    "E | serialize s = row_window_session(Time, 1h, 5m) | summarize max(s)",
    None,
    None,
    table=False,
)
query(
    "series_stats",
    "S | extend x = series_stats_dynamic(Values) | summarize sum(todouble(x.avg))",
    lambda f: f["S"].select(
        c.Values.list.mean().sum(),
        c.Values.list.std().sum().alias("s"),
        c.Values.list.min().sum().alias("m"),
        c.Values.list.max().sum().alias("x"),
    ),
    "SELECT sum(list_avg(Values)), sum(list_stddev_samp(Values)), sum(list_min(Values)), sum(list_max(Values)) FROM S",
    table=False,
)
query(
    "series_add",
    "S | extend x = series_add(Values, Values) | summarize sum(todouble(x[7]))",
    lambda f: f["S"].select((c.Values + c.Values).list.get(7).sum()),
    "SELECT sum(list_transform(Values, lambda v: v + v)[8]) FROM S",
    table=False,
)
query(
    "series_fit_line",
    "S | extend (rsquare, slope) = series_fit_line(Values) | summarize sum(slope)",
    lambda f: (
        f["S"]
        .explode("Values")
        .with_columns(i=pl.int_range(pl.len()).over("Row"))
        .group_by("Row")
        .agg(pl.cov("Values", "i"))
        .select(pl.len())
    ),
    "SELECT sum(s) FROM (SELECT regr_slope(v, i) AS s FROM (SELECT Row, unnest(Values) AS v, unnest(range(100)) AS i FROM S) GROUP BY Row)",
    table=False,
)
query(
    "series_outliers", "S | extend x = series_outliers(Values) | summarize sum(todouble(x[7]))", None, None, table=False
)
query(
    "series_decompose_anomalies",
    "S | extend (a, s, b) = series_decompose_anomalies(Values) | summarize sum(todouble(s[7]))",
    None,
    None,
    table=False,
)
query(
    "series_fit_2lines",
    "S | take 1000 | extend (r, i, rs, v) = series_fit_2lines(Values) | summarize sum(r)",
    None,
    None,
    table=False,
)
query(
    "evaluate pivot",
    "E | evaluate pivot(Verb, count(), Host)",
    lambda f: f["E"].group_by("Host", "Verb").len(),
    "PIVOT (SELECT Host, Verb FROM E) ON Verb USING count(*) GROUP BY Host",
)
query(
    "evaluate bag_unpack",
    "E | take 200000 | project d = todynamic(Json) | evaluate bag_unpack(d) | count",
    None,
    None,
    table=False,
)
