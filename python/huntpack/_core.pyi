"""The native module: the whole of it is offered by `huntpack` itself, besides what only the command line needs."""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, Union, final, type_check_only

import pandas as pd
import polars as pl
import pyarrow as pa

from huntpack.report.timeline import Timeline
from huntpack.testing import Result

__version__: str

@type_check_only
class ArrowStream(Protocol):
    """Anything with the Arrow PyCapsule interface: pyarrow, polars, pandas 3, a DuckDB relation, a `Table`."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

_Path = Union[str, os.PathLike[str]]
_Time = Union[str, dt.datetime]
_Language = Literal["kql", "spl"]
_Record = Mapping[str, Any]
_Schemas = Mapping[str, Mapping[str, str]]
_Macros = Union[Mapping[str, Any], _Path, Sequence[Union[Mapping[str, Any], _Path]]]
_Functions = Union[Mapping[str, _Path], _Path, Sequence[_Path]]

# A Table, an Arrow stream, a pandas DataFrame (also without pyarrow), rows, or paths and globs of files.
_Source = Union[Table, ArrowStream, pd.DataFrame, Sequence[_Record], _Path, Sequence[_Path]]
_Sources = Mapping[str, _Source]
_Lookups = Union[_Sources, _Path, Sequence[Union[_Sources, _Path]]]

def kql(
    query: str,
    tables: _Sources | None = None,
    *,
    now: _Time | None = None,
    watchlists: _Sources | None = None,
    functions: _Functions | None = None,
    externaldata: _Sources | None = None,
    schemas: _Schemas | None = None,
    geoip: _Path | None = None,
    resolve: bool | None = None,
    limits: Mapping[str, int] | None = None,
    threads: int | None = None,
) -> Table:
    """Runs a KQL query over `tables`.

    `tables` maps a name to its source. `now` is the time of `now()` and `ago()` (the wall clock without it; a naive
    datetime is UTC); "latest" is the newest event's. `functions` are saved functions by name, a `.kql` file, a parser
    YAML, or a folder of them; `externaldata` maps a URL, or the start of one, to what is read in its place, for the
    network is never used. `schemas` declares the columns of tables of your own. `geoip` is a file in MaxMind's
    format (GeoLite2-City.mmdb), in which `geo_info_from_ip_address` looks. With `resolve`, names that `tables` lacks
    are looked up among the caller's variables (in IPython by default).

    Of several results the first is returned; its `.others` holds the rest.
    """

def spl(
    search: str,
    tables: _Sources | _Source | None = None,
    *,
    now: _Time | None = None,
    earliest: _Time | None = None,
    latest: _Time | None = None,
    timezone: str = "UTC",
    macros: _Macros | None = None,
    lookups: _Lookups | None = None,
    geoip: _Path | None = None,
    addons: _Path | Sequence[_Path] | None = None,
    resolve: bool | None = None,
    limits: Mapping[str, int] | None = None,
    threads: int | None = None,
    write_lookups: _Path | None = None,
) -> Table:
    """Runs an SPL search over events: the rows of all tables together, or of a single source.

    `earliest` and `latest` bound the events' time where the search does not; `timezone` is the zone of days. `geoip`
    is a file in MaxMind's format, in which `iplocation` looks. `addons` tells of sourcetypes: folders of Splunk's
    add-ons, a `props.conf`, YAML files of aliases and calculated fields. `outputlookup` keeps rows in memory; with
    `write_lookups` it writes CSV files into that folder, too."""

def check(
    query: str,
    *,
    language: _Language = "kql",
    schemas: _Schemas | None = None,
    functions: _Functions | None = None,
    macros: _Macros | None = None,
) -> Check:
    """Checks a query's syntax, names and kinds without data. Tables that no schema describes are open: they have
    every column, and a warning says so."""

def read(
    path: _Path,
    *,
    format: str | None = None,  # noqa: A002
    table: str | None = None,
    columns: Sequence[str] | None = None,
    schema: Mapping[str, str] | None = None,
) -> Table:
    """Reads a file, the files of a glob, or a folder. The format is recognised, unless it is given; `table` names the
    Log Analytics table whose schema the columns take."""

def table(source: _Source, *, name: str | None = None, schema: Mapping[str, str] | None = None) -> Table:
    """Takes a source in once. The Table keeps what it learns about its columns for the queries that follow."""

def load(*paths: _Path) -> Pack:
    """Loads rules from files and folders; without paths, the built-in pack."""

def splunk(command: str, app: str, ask: Callable[[str, str, str, str | None], tuple[int, str]] | None = None) -> int:
    """Runs a search command of the Splunk app in the folder `app` over standard input and output; returns the exit
    code."""

def check_timezone(name: str) -> None:
    """Raises where there is no time zone of that name."""

def import_page(text: str, name: str) -> list[tuple[str, str, list[str]]]:
    """Recovers the rules of a page pasted from the web, an ARM template or a savedsearches.conf: for each a file
    name, clean YAML, and notes on what was mended."""

def parse_yaml(text: str, name: str) -> list[Any]:
    """The documents of a YAML text; `name` stands in its errors."""

def complete(
    query: str,
    position: int | None = None,
    tables: _Sources | None = None,
    schemas: _Schemas | None = None,
    functions: _Functions | None = None,
    watchlists: _Sources | None = None,
) -> list[Completion]:
    """What may stand at a position of a query (a count of characters; its end without one), the likeliest first:
    operators, columns after the steps so far, functions, tables, words of the grammar. What stands behind the
    position may be broken."""

def help_index() -> list[tuple[str, list[tuple[str, str]]]]:
    """All names that have a manual page, by family: (title, [(name, summary)])."""

def help_page(name: str) -> str:
    """The manual page of a function, operator or command. Raises a `QueryError` that offers the nearest names."""

@final
class Table:
    """A query's result, or a source taken in."""

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(name, kind) of each column; kinds are bool, int, long, real, decimal, string, datetime, timespan, dynamic
        and guid."""

    @property
    def others(self) -> list[Table]:
        """The results of a query's further statements."""

    @property
    def problems(self) -> list[Any]:
        """The bad rows of the files read: one entry per file, with `.file`, `.line` (of the first), `.reason` and
        `.count`."""

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as Python values: datetimes are aware (UTC) and cut to microseconds; null is None."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dicts by column name."""

    def to_pandas(self) -> pd.DataFrame:
        """A pandas DataFrame."""

    def to_polars(self) -> pl.DataFrame:
        """A polars DataFrame."""

    def to_arrow(self) -> pa.Table:
        """A pyarrow Table."""

    def write_parquet(self, path: _Path) -> None:
        """Writes a Parquet file."""

    def explain(self) -> str:
        """The plan, with the rows after each step and the time of each."""

    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...

@final
class Diagnostic:
    """One thing that is wrong; its text is the annotated source."""

    @property
    def severity(self) -> str:
        """error, warning or note."""

    @property
    def code(self) -> str:
        """Microsoft's KS number where the case is the same, else HP and a number."""

    @property
    def message(self) -> str: ...
    @property
    def help(self) -> str | None: ...
    @property
    def span(self) -> tuple[int, int] | None:
        """Where it starts and ends in the query."""

    @property
    def path(self) -> str | None:
        """The rule's file."""

    @property
    def line(self) -> int | None:
        """Counted from 1, in the rule's file where there is one, else in the query."""

    @property
    def column(self) -> int | None: ...

@final
class Check:
    """What `check` found."""

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not count."""

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Errors and warnings: each with code, message, span and help."""

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(name, kind) of each result column."""

    @property
    def tables(self) -> Any:
        """The tables that the query reads."""

    @property
    def open(self) -> bool:
        """Whether further columns may come that only the data can tell."""

@final
class Completion:
    """Something that may stand at a place of a query."""

    @property
    def label(self) -> str:
        """What is shown."""

    @property
    def kind(self) -> str:
        """column, variable, table, function, aggregate, operator, plugin, keyword, parameter, kind or watchlist."""

    @property
    def insert(self) -> str:
        """What is written in the place of `replaces`."""

    @property
    def detail(self) -> str:
        """A column's kind, a function's signature, an operator's summary."""

    @property
    def replaces(self) -> tuple[int, int]:
        """Where the part starts and ends that is written already, in characters."""

@final
class Rule:
    """A rule as its file has it. Absent lists and mappings are empty, absent texts None."""

    @property
    def id(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def description(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...
    @property
    def author(self) -> str | None: ...
    @property
    def path(self) -> str | None: ...
    @property
    def raw(self) -> dict[str, Any]: ...
    @property
    def language(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def severity(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def query(self) -> str: ...
    @property
    def tables(self) -> list[str]: ...
    @property
    def query_frequency(self) -> dt.timedelta | None: ...
    @property
    def query_period(self) -> dt.timedelta | None: ...
    @property
    def suppression_duration(self) -> dt.timedelta | None: ...
    @property
    def lookback_duration(self) -> dt.timedelta | None: ...
    @property
    def trigger_operator(self) -> str | None: ...
    @property
    def trigger_threshold(self) -> int | None: ...
    @property
    def tactics(self) -> list[str]: ...
    @property
    def techniques(self) -> list[str]: ...
    @property
    def entity_mappings(self) -> list[dict[str, Any]]: ...
    @property
    def sentinel_entities_mappings(self) -> list[dict[str, Any]]: ...
    @property
    def custom_details(self) -> dict[str, str]: ...
    @property
    def alert_details_override(self) -> dict[str, Any]: ...
    @property
    def required_data_connectors(self) -> list[dict[str, Any]]: ...
    @property
    def tags(self) -> Any: ...
    @property
    def event_grouping(self) -> str: ...
    @property
    def suppression_enabled(self) -> bool: ...
    @property
    def create_incident(self) -> bool: ...
    @property
    def grouping_enabled(self) -> bool: ...
    @property
    def reopen_closed_incident(self) -> bool: ...
    @property
    def matching_method(self) -> str: ...
    @property
    def group_by_entities(self) -> list[str]: ...
    @property
    def group_by_alert_details(self) -> list[str]: ...
    @property
    def group_by_custom_details(self) -> list[str]: ...
    @property
    def risk_objects(self) -> list[dict[str, Any]]:
        """The fields of the results that name entities: field, type (user, system, other) and score."""

    @property
    def threat_objects(self) -> list[dict[str, str]]:
        """The fields of the results that name means of an attack: field and type."""

    @property
    def message(self) -> str | None:
        """What is said of the results, with `$field$` for the values of a row."""

    @property
    def drilldown_searches(self) -> list[dict[str, str]]: ...
    @property
    def analytic_story(self) -> list[str]: ...
    @property
    def security_domain(self) -> str | None: ...
    @property
    def schedule(self) -> dict[str, str]:
        """cron_schedule, earliest_time, latest_time and schedule_window of a detection of Splunk."""

    @property
    def warnings(self) -> list[Diagnostic]:
        """What was odd about the file though the rule loads."""

    def check(
        self,
        *,
        schemas: _Schemas | None = None,
        functions: _Functions | None = None,
        macros: _Macros | None = None,
        lookups: _Lookups | None = None,
        strict: bool = False,
    ) -> Check:
        """Checks the rule's query, and with `strict` what the public rule repository's validators ask for; places are
        those of the rule's file."""

@final
class Pack:
    """Rules loaded together."""

    @property
    def problems(self) -> list[Any]:
        """The files that did not load, each with its `.path` and `.error`."""

    @property
    def notes(self) -> list[str]:
        """What to know of the load: files that were passed over, though they hold rules."""

    def run(
        self,
        tables: _Sources | _Source,
        now: _Time | None = None,
        watchlists: _Sources | None = None,
        lookups: _Lookups | None = None,
        macros: _Macros | None = None,
        functions: _Functions | None = None,
        externaldata: _Sources | None = None,
        schemas: _Schemas | None = None,
        geoip: _Path | None = None,
        addons: _Path | Sequence[_Path] | None = None,
        timezone: str = "UTC",
        progress: Callable[[int, int, str], object] | None = None,
        threads: int | None = None,
        strict: bool = False,
        write_lookups: _Path | None = None,
    ) -> Hits:
        """Evaluates every rule once at `now`, over its query period. `progress` is called with the rules done, their
        number, and a rule's name. A failing rule stands in `hits.problems` and never stops the others; with `strict`
        it raises. `geoip` is a file in MaxMind's format, in which `geo_info_from_ip_address` looks. `addons` and
        `write_lookups` are those of `spl`."""

    def test(
        self,
        path: _Path | None = None,
        *,
        attack_data: _Path | Sequence[_Path] | None = None,
        macros: _Macros | None = None,
        lookups: _Lookups | None = None,
        addons: _Path | Sequence[_Path] | None = None,
    ) -> list[Result]:
        """Runs the tests that stand beside the rules' files, or those of the one file; of detections of Splunk also
        the tests in their own files, over recorded data in the folders `attack_data` or beside the rule."""

    def export(self, to: str) -> str:
        """The rules as one text: "arm" is an ARM template, "savedsearches" a savedsearches.conf of Splunk,
        "attack-layer" a layer of the ATT&CK Navigator."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Rule]: ...
    def __getitem__(self, key: str, /) -> Rule: ...

@final
class Hits:
    """What a run of a pack found."""

    @property
    def alerts(self) -> Table:
        """In SecurityAlert's columns."""

    @property
    def incidents(self) -> Table:
        """In SecurityIncident's columns, grouped as each rule's incidentConfiguration says."""

    @property
    def findings(self) -> Table:
        """What detections of Splunk alert with: title, severity, entity, drilldowns with everything filled in."""

    @property
    def risk(self) -> Table:
        """The entities that detections of Splunk score: one row for each result row, entity and value."""

    @property
    def results(self) -> dict[str, Table]:
        """The rows of each rule's query, by rule id."""

    @property
    def problems(self) -> list[Any]:
        """The rules that failed: each with `.rule`, `.path` and `.error`."""

    @property
    def notes(self) -> list[str]:
        """What to know of the run: rules that saw no event, and when the newest event was."""

    def why(self, rule: str | Rule) -> str:
        """The rows after each step of a rule, and the step that emptied it."""

    def timeline(self) -> Timeline:
        """The alerts and risk objects along time: a notebook shows it, `.save(path)` keeps it as an SVG."""

    def attack_layer(self) -> dict[str, Any]:
        """The techniques found, as a layer of the ATT&CK Navigator."""

    def to_html(self, path: _Path) -> None:
        """Writes the report: one self-contained page."""

class Error(Exception):
    """Any fault of huntpack's; its text is the annotated source."""

    diagnostics: list[Diagnostic]

class QueryError(Error):
    """A query is wrong, or needs what is not supported."""

class RuleError(Error):
    """A rule file is wrong."""

class DataError(Error):
    """A source cannot be read."""

class LimitError(Error):
    """A limit was reached; the text names the setting."""

class InternalError(Error):
    """A fault in huntpack itself."""
