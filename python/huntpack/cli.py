"""The command line. Data goes to standard output, everything else to standard error.

Exit codes: 0 done, 1 a rule, query or input failed, 2 wrong usage, 3 alerts under `--fail-on-alert`, 130 on Ctrl-C.
"""

import contextlib
import errno
import functools
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Callable, NoReturn, Optional

import typer

import huntpack as hp
from huntpack import Hits, Pack, Table, _core, output

DONE, FAILED, USAGE, ALERTS, INTERRUPTED = 0, 1, 2, 3, 130
# What is wrong with an option, and not with a rule or its data.
OPTION_CODES = ("HP303",)
UNKNOWN_TABLE = "KS204"
FORMATS = ("table", "json", "ndjson", "csv", "parquet", "html")
OUTPUTS = ("alerts", "incidents", "findings", "risk", "results")
# Of SecurityAlert's and SecurityIncident's many columns, those that a person reads first.
SHOWN = {
    "alerts": (
        "AlertSeverity",
        "DisplayName",
        "Description",
        "StartTime",
        "EndTime",
        "Entities",
        "Tactics",
        "Techniques",
    ),
    "incidents": ("IncidentNumber", "Severity", "Title", "FirstActivityTime", "LastActivityTime", "AlertIds"),
    "findings": ("severity", "title", "entity", "entity_type", "risk_score", "rule_name"),
    "risk": ("risk_score", "risk_object", "risk_object_type", "risk_message", "search_name"),
}

# Typer reads annotations at run time, and on Python 3.9 only those that are no texts.
app = typer.Typer(
    name="huntpack",
    help="Runs Microsoft Sentinel analytic rules over your own logs.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Rules = Annotated[
    Optional[list[str]], typer.Argument(metavar="[RULES]...", help="Rule files and folders; none: the built-in pack.")
]
TableOptions = Annotated[
    Optional[list[str]],
    typer.Option("--table", "-t", metavar="NAME=PATH", help="A table's file, glob or folder. Repeat as needed."),
]
WatchlistOptions = Annotated[
    Optional[list[str]], typer.Option("--watchlist", metavar="NAME=PATH", help="A watchlist's file.")
]
LookupOptions = Annotated[
    Optional[list[str]], typer.Option("--lookup", metavar="NAME=PATH", help="A lookup's file, or a folder of them.")
]
MacroOptions = Annotated[
    Optional[list[str]], typer.Option("--macros", metavar="PATH", help="A macros.conf, or a folder of macros.")
]
FunctionOption = Annotated[
    Optional[list[str]],
    typer.Option("--functions", metavar="PATH", help="Saved functions: a .kql, a YAML, a template, or a folder."),
]
ExternalOptions = Annotated[
    Optional[list[str]], typer.Option("--externaldata", metavar="URL=PATH", help="What to read in a URL's place.")
]
SchemaOption = Annotated[
    Optional[Path], typer.Option("--schema", metavar="FILE", help='JSON: {"Table_CL": {"Column_s": "string"}}.')
]
PlacesOption = Annotated[
    Optional[str], typer.Option("--geoip", metavar="FILE", help="The places of addresses, as GeoLite2-City.mmdb.")
]
AddonOptions = Annotated[
    Optional[list[str]],
    typer.Option("--addons", metavar="PATH", help="What sourcetypes are: an add-on's folder, a props.conf, a YAML."),
]
WriteOption = Annotated[
    Optional[Path], typer.Option("--write-lookups", metavar="FOLDER", help="Where outputlookup may write CSV files.")
]
ZoneOption = Annotated[str, typer.Option("--timezone", metavar="TZ", help="The time zone of SPL's dates.")]
NowOption = Annotated[
    Optional[str], typer.Option("--now", metavar="TIME", help="The time to run at, or `latest`: the newest event's.")
]
FormatOption = Annotated[
    Optional[str], typer.Option("--format", "-f", metavar="FORMAT", help=f"{', '.join(FORMATS)}; else by -o's name.")
]
FileOption = Annotated[Optional[Path], typer.Option("-o", metavar="FILE", help="Write here, not to standard output.")]
ThreadOption = Annotated[Optional[int], typer.Option("--threads", min=1, help="Threads; else one per processor.")]


def say(text: str) -> None:
    """A line to standard error."""
    print(text, file=sys.stderr)


def stop(code: int, text: Optional[str] = None) -> NoReturn:
    """Leaves with an exit code."""
    if text:
        say(text)
    raise typer.Exit(code)


def misuse(text: str) -> NoReturn:
    """Leaves for wrong usage."""
    stop(USAGE, f"huntpack: {text}\nTry 'huntpack --help'.")


def command(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a command whose failures become messages and exit codes."""

    def register(body: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(body)
        def guarded(*args: Any, **options: Any) -> None:
            try:
                body(*args, **options)
                sys.stdout.flush()
            except BrokenPipeError:
                # The reader has what it wanted. Python flushes once more at its end: let that go nowhere.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            except hp.Error as error:
                of_option = any(found.code in OPTION_CODES for found in error.diagnostics)
                stop(USAGE if of_option else FAILED, str(error).rstrip())
            except OSError as error:
                about = f"{error.filename}: {error.strerror}" if error.filename else str(error)
                stop(FAILED, f"huntpack: {about}")
            except UnicodeError as error:
                stop(FAILED, f"huntpack: {error}")
            except KeyboardInterrupt:
                raise typer.Exit(INTERRUPTED) from None

        return app.command(name)(guarded)

    return register


def pairs(options: Optional[Iterable[str]], flag: str) -> dict[str, Any]:
    """`NAME=PATH` options as a mapping; a name that occurs again adds a path."""
    found: dict[str, list[str]] = {}
    for option in options or ():
        name, equals, path = option.partition("=")
        if not (name and equals and path):
            misuse(f"{flag} takes NAME=PATH, not '{option}'")
        found.setdefault(name, []).append(path)
    return {name: paths if len(paths) > 1 else paths[0] for name, paths in found.items()}


def table_files(options: Optional[Iterable[str]]) -> dict[str, Any]:
    """The tables of `--table`. A file that is not there is told before anything runs, whether it is read or not."""
    found = pairs(options, "--table")
    for paths in found.values():
        for path in [paths] if isinstance(paths, str) else paths:
            if path != "-" and not set("*?[") & set(path) and not Path(path).exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return found


def urls(options: Optional[Iterable[str]]) -> dict[str, str]:
    """`URL=PATH` options: a URL may hold `=` itself, so the last one divides."""
    found = {}
    for option in options or ():
        url, equals, path = option.rpartition("=")
        if not (url and equals and path):
            misuse(f"--externaldata takes URL=PATH, not '{option}'")
        found[url] = path
    return found


def lookup_source(options: Optional[list[str]]) -> Any:
    """Folders and transforms.conf files that define lookups, and lookups by name."""
    paths = [option for option in options or () if "=" not in option]
    named = pairs([option for option in options or () if "=" in option], "--lookup")
    return [*paths, named] if paths or named else None


def schemas(path: Optional[Path]) -> Any:
    """The schemas of a JSON file."""
    if path is None:
        return None
    try:
        found = json.loads(text_of_file(path))
    except ValueError as error:
        stop(FAILED, f"huntpack: {path} is not JSON: {error}")
    if not isinstance(found, dict) or not all(isinstance(columns, dict) for columns in found.values()):
        stop(FAILED, f'huntpack: {path} holds no schemas such as {{"Table_CL": {{"Column_s": "string"}}}}')
    return found


def form_of(form: Optional[str], path: Optional[Path]) -> str:
    """The output format: as asked, else by the file's name, else a table."""
    if form is not None:
        return form if form in FORMATS else misuse(f"no format '{form}': choose from {', '.join(FORMATS)}")
    if path is None:
        return "table"
    found = output.SUFFIXES.get(path.suffix.lower())
    return found or misuse(f"{path.name} names no format: give one with --format")


def text_of(query: str) -> str:
    """A query as given, or the text of the file behind `@`; `@-` is standard input."""
    if query == "@-":
        return decoded(sys.stdin.buffer.read(), "standard input")
    return text_of_file(Path(query[1:])) if query.startswith("@") else query


def text_of_file(path: Path) -> str:
    """The text of a file."""
    return decoded(path.read_bytes(), str(path))


def decoded(data: bytes, origin: str) -> str:
    """UTF-8 as text; what is none is told with its line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        stop(FAILED, f"huntpack: {origin} is not UTF-8 text (line {line})")


def report_bad_rows(tables: Iterable[Table]) -> None:
    """One line to standard error per file with bad rows."""
    told: set[str] = set()
    for table in tables:
        for bad in table.problems:
            if bad.file not in told:
                told.add(bad.file)
                rows = "1 bad row" if bad.count == 1 else f"{bad.count:,} bad rows"
                place = f", the first in line {bad.line}" if bad.line else ""
                say(f"{bad.file}: {rows}{place}: {bad.reason}")


def report_failures(problems: Iterable[Any]) -> bool:
    """The errors of rules to standard error; whether there were any."""
    errors = [str(problem.error).rstrip() for problem in problems]
    for error in errors:
        say(error)
    return bool(errors)


def report_missing_tables(problems: Iterable[Any]) -> list[Any]:
    """One line for the rules that lack nothing but a table; the other problems. Nobody chose the built-in rules, and
    few have the logs for all of them."""
    untabled: list[str] = []
    others: list[Any] = []
    for problem in problems:
        if {found.code for found in problem.error.diagnostics} == {UNKNOWN_TABLE}:
            untabled.append(problem.rule)
        else:
            others.append(problem)
    if untabled:
        what = "1 rule had no table" if len(untabled) == 1 else f"{len(untabled)} rules had no table"
        say(f"{what}: {', '.join(untabled)}")
    return others


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Optional[Callable[[int, int, str], None]]]:
    """A callback that draws a bar on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=name)


def loaded(rules: Optional[list[str]]) -> Pack:
    """The rules of files and folders, or the built-in pack."""
    pack = hp.load(*rules) if rules else hp.load()
    for note in pack.notes:
        say(note)
    return pack


def version(wanted: bool) -> None:
    """Prints the version."""
    if wanted:
        print(f"huntpack {hp.__version__}")
        raise typer.Exit


@app.callback()
def base(
    _: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


@command("demo")
def demo(
    folder: Annotated[Path, typer.Option("-o", metavar="FOLDER", help="Where logs and report go.")] = Path(
        "huntpack-demo"
    ),
) -> None:
    """Make sample logs with attacks in them, find these with the built-in pack, write a report."""
    from huntpack import demo as show

    show.main(folder)


@command("run")
def run(
    rules: Rules = None,
    table: TableOptions = None,
    watchlist: WatchlistOptions = None,
    lookup: LookupOptions = None,
    macros: MacroOptions = None,
    functions: FunctionOption = None,
    externaldata: ExternalOptions = None,
    schema: SchemaOption = None,
    geoip: PlacesOption = None,
    addons: AddonOptions = None,
    write_lookups: WriteOption = None,
    timezone: ZoneOption = "UTC",
    now: NowOption = None,
    file: FileOption = None,
    form: FormatOption = None,
    output_option: Annotated[
        Optional[str], typer.Option("--output", metavar="WHAT", help=f"{', '.join(OUTPUTS)}; several with commas.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="For each rule without a hit, the rows after each step.")] = False,
    fail_on_alert: Annotated[bool, typer.Option("--fail-on-alert", help="Exit with 3 when there are alerts.")] = False,
    threads: ThreadOption = None,
) -> None:
    """Run rules over log files."""
    form = form_of(form, file)
    outputs = outputs_of(output_option, form, file)
    tables = table_files(table) or misuse("give the logs with --table NAME=PATH")
    pack = loaded(rules)
    with progress_bar("rules") as progress:
        hits = pack.run(
            tables,
            now=now,
            watchlists=pairs(watchlist, "--watchlist") or None,
            lookups=lookup_source(lookup),
            macros=macros or None,
            functions=functions or None,
            externaldata=urls(externaldata) or None,
            schemas=schemas(schema),
            geoip=geoip,
            addons=addons or None,
            timezone=timezone,
            progress=progress,
            threads=threads,
            write_lookups=write_lookups,
        )
    report_bad_rows(hits.results.values())
    for note in hits.notes:
        say(note)
    problems = [*pack.problems, *hits.problems]
    report_failures(problems if rules else report_missing_tables(problems))
    failed = bool(problems)
    if form == "html":
        write_report(hits, pack, file)
    elif len(outputs) > 1:
        write_several(hits, outputs, form, file)
    elif output_option is None and not len(hits.alerts) and len(hits.findings):
        write_hits(hits, pack, "findings", form, file)
    else:
        write_hits(hits, pack, outputs[0], form, file)
    if why:
        explain_silence(hits, pack)
    if failed:
        stop(FAILED)
    if fail_on_alert and len(hits.alerts) + len(hits.findings):
        stop(ALERTS)


def outputs_of(option: Optional[str], form: str, file: Optional[Path]) -> list[str]:
    """The tables that are asked for; several go together as JSON, or as tables on the screen."""
    outputs = [name.strip() for name in (option or "alerts").split(",")]
    for name in outputs:
        if name not in OUTPUTS:
            misuse(f"no output '{name}': choose from {', '.join(OUTPUTS)}")
    if len(outputs) > 1 and (form not in ("json", "table") or "results" in outputs or (form == "table" and file)):
        misuse("several outputs are written as json, or as tables to standard output; results alone")
    return outputs


def write_several(hits: Hits, outputs: list[str], form: str, file: Optional[Path]) -> None:
    """Several of a run's tables: by name in JSON, below each other on the screen."""
    if form == "json":
        text = output.as_json({name: getattr(hits, name).to_dicts() for name in outputs}, indent=2)
        print(text) if file is None else output.write_text(file, text + "\n")
        return
    for name in outputs:
        print(name)
        show_hits(getattr(hits, name), name, None)
        print()


def write_hits(hits: Hits, pack: Pack, what: str, form: str, file: Optional[Path]) -> None:
    """Writes one of a run's tables."""
    if what == "results":
        write_results(hits, pack, form, file)
    elif form == "table" and what in SHOWN:
        show_hits(getattr(hits, what), what, file)
    else:
        output.write(getattr(hits, what), form, file)


def write_report(hits: Hits, pack: Pack, file: Optional[Path]) -> None:
    """The HTML report."""
    from huntpack import report

    text = report.render(hits, pack)
    if file is None:
        sys.stdout.write(text)
    else:
        output.write_text(file, text)


def show_hits(table: Table, what: str, file: Optional[Path]) -> None:
    """Alerts or incidents in the columns that a person reads first."""
    if file is None and not len(table):
        say(f"no {what}")
        return
    at = [[name for name, _ in table.columns].index(name) for name in SHOWN[what]]
    columns = [table.columns[i] for i in at]
    output.write_rows(columns, [readable(columns, [row[i] for i in at]) for row in table.rows()], "table", file)


def readable(columns: output.Columns, row: list[Any]) -> list[Any]:
    """A row with its entities by name."""
    from huntpack import alerts

    def show(name: str, value: Any) -> Any:
        if name == "Entities":
            return ", ".join(entity for _, entity in map(alerts.entity, alerts.unpack(value) or []))
        return ", ".join(alerts.listed(value)) if name in ("Tactics", "Techniques") else value

    return [show(name, value) for (name, _), value in zip(columns, row)]


def write_results(hits: Hits, pack: Pack, form: str, file: Optional[Path]) -> None:
    """The rows of each rule's query: apart in a table for people, together in data."""
    names = {rule.id: rule.name or "" for rule in pack}
    found = [(key, names.get(key, ""), table) for key, table in hits.results.items() if len(table)]
    if form == "parquet":
        if len(found) != 1:
            misuse("rules have different columns: write the results of several as json, ndjson or csv")
        output.write_parquet(found[0][2], file)
    elif form == "table" and file is None:
        for key, name, table in found:
            print(f"{name} ({key})")
            output.write(table, form, None)
            print()
    else:
        output.write_rows(*output.together(found), form, file)


def explain_silence(hits: Hits, pack: Pack) -> None:
    """For each rule without a hit, the rows after each step."""
    for rule in pack:
        found = hits.results.get(rule.id or "")
        if found is not None and not len(found):
            say(f"\n{rule.name}\n{str(hits.why(rule)).rstrip()}")


@command("query")
def query(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="The query, or @FILE, or @- for standard input.")],
    language: Annotated[str, typer.Option("--language", metavar="LANGUAGE", help="kql or spl.")] = "kql",
    table: TableOptions = None,
    watchlist: WatchlistOptions = None,
    lookup: LookupOptions = None,
    macros: MacroOptions = None,
    functions: FunctionOption = None,
    externaldata: ExternalOptions = None,
    schema: SchemaOption = None,
    geoip: PlacesOption = None,
    addons: AddonOptions = None,
    write_lookups: WriteOption = None,
    timezone: ZoneOption = "UTC",
    now: NowOption = None,
    file: FileOption = None,
    form: FormatOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print the plan with the rows after each step.")] = False,
    threads: ThreadOption = None,
) -> None:
    """Run one query over log files."""
    form = form_of(form, file)
    tables = table_files(table)
    declared = schemas(schema)
    if language == "spl":
        found = hp.spl(
            text_of(text),
            tables,
            now=now,
            timezone=timezone,
            macros=macros or None,
            lookups=lookup_source(lookup),
            geoip=geoip,
            addons=addons or None,
            resolve=False,
            threads=threads,
            write_lookups=write_lookups,
        )
    elif language == "kql":
        _core.check_timezone(timezone)
        found = hp.kql(
            text_of(text),
            tables,
            now=now,
            watchlists=pairs(watchlist, "--watchlist") or None,
            functions=functions or None,
            externaldata=urls(externaldata) or None,
            schemas=declared,
            geoip=geoip,
            resolve=False,
            threads=threads,
        )
    else:
        misuse(f"no language '{language}': kql or spl")
    report_bad_rows([found])
    if explain:
        print(str(found.explain()).rstrip())
        return
    output.write(found, form, file)
    for other in found.others if file is None else ():
        print()
        output.write(other, form, None)


@command("check")
def check(
    rules: Rules = None,
    lookup: LookupOptions = None,
    macros: MacroOptions = None,
    functions: FunctionOption = None,
    schema: SchemaOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Add the rules of the public repository's checks.")] = False,
    form: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json or sarif.")] = "text",
) -> None:
    """Check rules: syntax, names, kinds, schema."""
    from huntpack import checks

    if form not in checks.RENDERERS:
        misuse(f"no format '{form}': choose from {', '.join(checks.RENDERERS)}")
    found = checks.of(
        loaded(rules),
        functions=functions or None,
        schemas=schemas(schema),
        macros=macros or None,
        lookups=lookup_source(lookup),
        strict=strict,
    )
    checks.RENDERERS[form](found)
    if found.failed:
        stop(FAILED)


@command("rules")
def rules(paths: Rules = None, form: FormatOption = None, file: FileOption = None) -> None:
    """List the rules of the pack, or of files and folders."""
    form = form_of(form, file)
    if form == "parquet":
        misuse("the list of rules is written as table, json, ndjson, csv or html")
    columns = [("id", "string"), ("name", "string"), ("language", "string"), ("severity", "string")]
    columns += [("tactics", "dynamic"), ("techniques", "dynamic"), ("tables", "dynamic")]
    pack = loaded(paths)
    rows = [[getattr(rule, name) for name, _ in columns] for rule in pack]
    if form in ("table", "csv"):
        rows = [[", ".join(value) if isinstance(value, list) else value for value in row] for row in rows]
    output.write_rows(columns, rows, form, file)
    if report_failures(pack.problems):
        stop(FAILED)


@command("import")
def import_pages(
    pages: Annotated[list[Path], typer.Argument(metavar="PAGE...", help="Pasted pages, ARM templates, conf files.")],
    folder: Annotated[Path, typer.Option("-o", metavar="FOLDER", help="Where the rules go.")],
) -> None:
    """Recover rules from pasted web pages into clean YAML."""
    empty = False
    for page in pages:
        found = _core.import_page(page.read_text(encoding="utf-8-sig", errors="replace"), str(page))
        if not found:
            say(f"{page}: holds no rule")
            empty = True
        for name, text, notes in found:
            folder.mkdir(parents=True, exist_ok=True)
            path = free(folder / Path(name).name, text)
            output.write_text(path, text)
            print(path)
            for note in notes:
                say(f"{page}: {note}")
    if empty:
        stop(FAILED)


def free(path: Path, text: str) -> Path:
    """A path that holds no other rule: `rule.yaml`, `rule-2.yaml`, ..."""
    stem, number = path.stem, 1
    while path.exists() and path.read_text(encoding="utf-8") != text:
        number += 1
        path = path.with_name(f"{stem}-{number}{path.suffix}")
    return path


@command("export")
def export(
    paths: Rules = None,
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="arm, savedsearches or attack-layer.")] = "arm",
    file: FileOption = None,
) -> None:
    """Export rules as a Sentinel ARM template, saved searches of Splunk, or a layer of the ATT&CK Navigator."""
    if to not in ("arm", "savedsearches", "attack-layer"):
        misuse(f"no form '{to}': choose from arm, savedsearches, attack-layer")
    pack = loaded(paths)
    # A template without a rule would only be mistaken for one.
    text = pack.export(to) if len(pack) else ""
    if text and file is not None:
        output.write_text(file, text.rstrip("\n") + "\n")
    elif text:
        print(text.rstrip("\n"))
    if report_failures(pack.problems):
        stop(FAILED)


@command("test")
def test(
    rules: Rules = None,
    data: Annotated[
        Optional[list[str]],
        typer.Option("--attack-data", metavar="FOLDER", help="Recorded data for the tests in detections' own files."),
    ] = None,
    macros: MacroOptions = None,
    lookup: LookupOptions = None,
    addons: AddonOptions = None,
    report: Annotated[Optional[Path], typer.Option("--junit", metavar="FILE", help="Write JUnit XML, too.")] = None,
) -> None:
    """Run the tests that stand beside rules (rule.test.yaml), and those of detections whose data are at hand."""
    from huntpack import testing

    pack = loaded(rules)
    results = pack.test(attack_data=data, macros=macros or None, lookups=lookup_source(lookup), addons=addons)
    for result in results:
        how = "passed over" if result.skipped else "ok    " if result.ok else "FAILED"
        print(f"{how}  {result.rule}  ({result.path})")
        if result.message or result.skipped:
            print("    " + (result.message or result.skipped).replace("\n", "\n    "))
    failures = sum(not result.ok for result in results)
    skipped = sum(bool(result.skipped) for result in results)
    print(f"{len(results) - skipped} tests, {failures} failed" + (f", {skipped} passed over" if skipped else ""))
    if report is not None:
        output.write_text(report, testing.junit(results))
    if report_failures(pack.problems) or failures or not results:
        stop(FAILED)


@command("backtest")
def backtest(_: Rules = None) -> None:
    """Run every scheduled run of a period (not supported yet)."""
    misuse("backtest is not supported yet")


@command("help")
def help_page(
    name: Annotated[
        Optional[list[str]], typer.Argument(metavar="NAME", help="A function, operator, statement, plugin or kind.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every page.")] = False,
    form: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text or markdown.")] = "text",
) -> None:
    """Show the manual page of a KQL function or operator; without a name, list them all."""
    from huntpack import manual

    if form not in ("text", "markdown"):
        misuse(f"no format '{form}': text or markdown")
    manual.show(" ".join(name or []), everything, form)


def main(arguments: Optional[list[str]] = None) -> int:
    """Runs the command line; the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a log's odd characters must not end a run
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(arguments or ["--help"], prog_name="huntpack", standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except typer.Exit as left:
        return left.exit_code
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        say(f"huntpack: {error.format_message()}\nTry 'huntpack --help'.")  # typer's own usage errors
        return getattr(error, "exit_code", USAGE)
    return code if isinstance(code, int) else DONE
