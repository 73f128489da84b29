"""Sample logs of a small company: two weeks of ordinary work, five attacks, and what only looks like one.

The same seed gives the same files, byte for byte. Names and addresses are of the ranges kept for examples.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOW = dt.datetime(2026, 3, 12, 15, 0, tzinfo=dt.timezone.utc)
DOMAIN = "northwind.example"
HOUR = 3600.0
DAY = 24 * HOUR

FIRST_NAMES = (
    "ada alma anton bela bruno carla clara david dora edgar elin emil erika felix flora gustav hanna hugo ida ivan "
    "jana jonas karin klara lars lena lotta luis maja marta mila nadia nils nora olga oskar paul pia rasmus rosa "
    "sara simon sofia stefan tilda tom ulla vera viktor wanda"
).split()
LAST_NAMES = "adler berg costa dahl ek fischer grau holm jansen keller lind moreau nyberg ortiz palm roth".split()
APPLICATIONS = ("Office 365 Exchange Online", "Microsoft Teams", "SharePoint Online", "Azure Portal", "Salesforce")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/133.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Mobile/15E148",
)
INTERNAL_APPS = tuple(f"{name}.corp.{DOMAIN}" for name in "wiki erp git vault payroll crm build files jump hr".split())
BUSINESS_SITES = ("teams.microsoft.com", "outlook.office365.com", "www.salesforce.com", "news.example.com")
PERSONAL_SITES = ("drive.google.com", "www.dropbox.com", "wetransfer.com", "github.com", "web.whatsapp.com")

SPRAYER = "203.0.113.77"
SPRAYED = 34
IIS_GUESSER = "203.0.113.201"
MINER = "203.0.113.180"

WRONG_PASSWORD = ("50126", "Invalid username or password or Invalid on-premise username or password.")
SIGN_IN_RESULTS = (
    ("0", ""),
    WRONG_PASSWORD,
    ("50074", "User did not pass the MFA challenge."),
    ("50140", "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."),
    ("50053", "The account is locked."),
)
SIGN_IN_WEIGHTS = (930, 30, 20, 15, 5)

ALLOWLIST = """IPOrRange,Description
198.51.100.10,Head office
198.51.100.64-198.51.100.95,Training rooms
192.0.2.0/25,Penetration testers
"""


@dataclass(frozen=True)
class Event:
    """A record and the seconds before `NOW` at which it happened."""

    age: float
    record: dict[str, Any]

    @property
    def time(self) -> dt.datetime:
        return NOW - dt.timedelta(seconds=self.age)


@dataclass(frozen=True)
class Samples:
    """The files written: paths of each table, the watchlist, and the number of events."""

    folder: Path
    tables: dict[str, list[Path]]
    allowlist: Path
    events: int


def write(folder: Path, seed: int = 7) -> Samples:
    """Writes the logs into a folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    company = Company(random.Random(seed))
    signins = in_order(company.sign_ins())
    broker, proxy = in_order(company.private_access()), in_order(company.web_traffic())
    office, web = in_order(company.office()), in_order(company.web_requests())
    stopped = in_order(company.stopped_downloads())
    downloads = write_lines(folder / "zscaler-nss.ndjson", map(as_splunk, stopped))
    tables = {
        "SigninLogs": [write_ndjson_gz(folder / "signins.ndjson.gz", signins)],
        "CommonSecurityLog": [
            write_lines(folder / "zscaler-zpa.cef", (cef(event, "ZPA") for event in broker)),
            write_lines(folder / "zscaler-web.cef", (cef(event, "NSSWeblog") for event in proxy)),
            downloads,
        ],
        "OfficeActivity": [write_lines(folder / "office.ndjson", map(as_json, office))],
        "W3CIISLog": write_iis(folder, web),
        # What Splunk exported is rows for the rules of the one product, and events for the detections of the other.
        "zscaler": [downloads],
    }
    allowlist = write_lines(folder / "NetworkAllowlist.csv", ALLOWLIST.splitlines())
    return Samples(folder, tables, allowlist, sum(map(len, (signins, broker, proxy, office, web, stopped))))


class Company:
    """Who works there, and what they and their attackers do."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.guessed = f"marta.lind@{DOMAIN}"
        self.leaver = f"oskar.nyberg@{DOMAIN}"
        self.miner = f"vera.holm@{DOMAIN}"
        names = [f"{first}.{last}@{DOMAIN}" for first in FIRST_NAMES for last in LAST_NAMES]
        attacked = {self.guessed, self.leaver, self.miner}
        self.users = [*chance.sample([name for name in names if name not in attacked], 317), *sorted(attacked)]
        self.homes = {user: f"198.51.100.{chance.randint(128, 254)}" for user in self.users}

    def workday(self, days: int = 1) -> float:
        """An age within the last days, in working hours more often than not."""
        age = self.chance.uniform(0, days * DAY)
        hour = (NOW - dt.timedelta(seconds=age)).hour
        return age if 7 <= hour < 18 or self.chance.random() < 0.15 else self.workday(days)

    # Sign-ins -------------------------------------------------------------------------------------------------------

    def sign_ins(self) -> Iterator[Event]:
        """A day of sign-ins, with a password spray in the last hour."""
        for _ in range(9000):
            user = self.chance.choice(self.users)
            result = self.chance.choices(SIGN_IN_RESULTS, SIGN_IN_WEIGHTS)[0]
            yield self.sign_in(self.workday(), user, self.homes[user], result)
        yield from self.spray()
        yield from self.no_sprays()

    def sign_in(self, age: float, user: str, address: str, result: tuple[str, str], country: str = "SE") -> Event:
        code, text = result
        shown = user.title() if self.chance.random() < 0.05 else user  # the case of names varies in real logs
        record = {
            "OperationName": "Sign-in activity",
            "Category": "SignInLogs",
            "ResultType": code,
            "ResultDescription": text,
            "UserPrincipalName": shown,
            "IPAddress": address,
            "Location": country,
            "AppDisplayName": self.chance.choice(APPLICATIONS),
            "ClientAppUsed": "Browser",
            "UserAgent": self.chance.choice(AGENTS),
            "Status": {"errorCode": int(code)},
            "Type": "SigninLogs",
        }
        return Event(age, record)

    def spray(self) -> Iterator[Event]:
        """One address, many accounts, two tries each; the last one opens."""
        targets = self.users[:SPRAYED]
        for turn in range(2):
            for at, user in enumerate(targets):
                age = 3300 - turn * 1500 - at * 40 + self.chance.uniform(0, 15)
                yield self.sign_in(age, user, SPRAYER, WRONG_PASSWORD, "NL")
        yield self.sign_in(300, targets[20], SPRAYER, SIGN_IN_RESULTS[0], "NL")

    def no_sprays(self) -> Iterator[Event]:
        """Addresses that are allowed, one forgetful user, too few accounts, too slow, and no guesses at all."""
        for address, accounts in (("198.51.100.10", 40), ("198.51.100.77", 25), ("192.0.2.99", 60), ("203.0.113.9", 9)):
            for user in self.users[40 : 40 + accounts]:
                yield self.sign_in(self.chance.uniform(60, 3400), user, address, WRONG_PASSWORD)
        for _ in range(60):
            yield self.sign_in(self.chance.uniform(60, 3400), self.users[3], "203.0.113.31", WRONG_PASSWORD)
        for at, user in enumerate(self.users[100:112]):
            yield self.sign_in(1500 + at * 1200, user, "203.0.113.45", WRONG_PASSWORD)
            yield self.sign_in(600 + at * 60, user, "203.0.113.60", SIGN_IN_RESULTS[2])

    # Private access -------------------------------------------------------------------------------------------------

    def private_access(self) -> Iterator[Event]:
        """A day of connections to internal applications, with a burst of refusals in the last hour."""
        for _ in range(5000):
            user = self.chance.choice(self.users)
            action = self.chance.choices(("Open", "Closed", "Failed", "BLOCK"), (900, 6, 3, 1))[0]
            yield self.connection(self.workday(), user, self.homes[user], action)
        yield from self.refusals(self.guessed, "203.0.113.112", range(43), 2500, "Failed")
        yield self.connection(200, self.guessed, "203.0.113.112", "Open")
        # A laptop with an old certificate stays below the limit; a real burst is long over; an outage hits everybody.
        yield from self.refusals(self.users[5], self.homes[self.users[5]], range(18), 3000, "Closed")
        yield from self.refusals(self.users[6], self.homes[self.users[6]], range(60), 4 * HOUR, "Failed")
        for user in self.users[200:230]:
            yield from self.refusals(user, self.homes[user], range(4), 1800, "Error")

    def refusals(self, user: str, address: str, times: range, oldest: float, action: str) -> Iterator[Event]:
        for at in times:
            yield self.connection(oldest - at * 50 + self.chance.uniform(0, 20), user, address, action)

    def connection(self, age: float, user: str, address: str, action: str) -> Event:
        host = self.chance.choice(INTERNAL_APPS)
        return Event(age, {"suser": user, "src": address, "dhost": host, "dst": "10.20.0.8", "dpt": 443, "act": action})

    # Web traffic ----------------------------------------------------------------------------------------------------

    def web_traffic(self) -> Iterator[Event]:
        """Two weeks behind the web proxy, with one user who carries data out a little every day."""
        for _ in range(12000):
            user = self.chance.choice(self.users)
            personal = self.chance.random() < 0.2
            site = self.chance.choice(PERSONAL_SITES if personal else BUSINESS_SITES)
            yield self.request(self.workday(14), user, site, int(self.chance.lognormvariate(10, 1.5)))
        for day in range(13):
            for _ in range(20):
                age = day * DAY + self.chance.uniform(HOUR, 6 * HOUR)
                yield self.request(age, self.leaver, PERSONAL_SITES[day % 3], self.chance.randint(2_500_000, 4_500_000))
        yield from self.no_exfiltration()

    def no_exfiltration(self) -> Iterator[Event]:
        """One large hand-over on a single day, uploads that were blocked, and a heavy user of a company site."""
        for _ in range(12):
            yield self.request(3 * DAY + self.chance.uniform(0, HOUR), self.users[11], "wetransfer.com", 40_000_000)
        for day in range(10):
            yield self.request(day * DAY + 5 * HOUR, self.users[12], "mega.nz", 30_000_000, action="Blocked")
            yield self.request(day * DAY + 4 * HOUR, self.users[13], "teams.microsoft.com", 80_000_000)

    def request(self, age: float, user: str, site: str, sent: int, action: str = "Allowed") -> Event:
        record = {
            "act": action,
            "app": "HTTPS",
            "suser": user.upper() if self.chance.random() < 0.05 else user,
            "src": self.homes[user],
            "dhost": site,
            "dpt": 443,
            "requestMethod": "POST",
            "request": f"https://{site}/upload?id={self.chance.randint(1000, 9999)}",
            "out": sent,
            "in": self.chance.randint(300, 9000),
        }
        return Event(age, record)

    def stopped_downloads(self) -> Iterator[Event]:
        """A day of what the web proxy looked at closely, with a program that wants to be fetched again and again."""
        for _ in range(400):
            user = self.chance.choice(self.users)
            site = self.chance.choice(BUSINESS_SITES)
            yield self.download(self.workday(), user, f"{site}/file{self.chance.randint(1, 99)}.pdf", "None")
        for at in range(6):
            yield self.download(2 * HOUR - at * 600, self.miner, "pool.example/xmrig.zip", "Win64.Coinminer.XMRig")
        # A look at what was written about it, and other malware.
        yield self.download(3 * HOUR, self.users[20], "news.example.com/miner.html", "None")
        yield self.download(4 * HOUR, self.users[21], "files.example/invoice.js", "JS.Downloader.Agent")

    def download(self, age: float, user: str, url: str, threat: str) -> Event:
        stopped = threat != "None"
        record = {
            "action": "Blocked" if stopped else "Allowed",
            "threatname": threat,
            "login": user,
            "deviceowner": user.partition("@")[0],
            "ClientIP": self.homes[user],
            "serverip": MINER if "pool" in url else "203.0.113.150",
            "hostname": url.partition("/")[0],
            "url": url,
            "urlcategory": "Malicious Content" if stopped else "Business",
        }
        return Event(age, record)

    # Office ---------------------------------------------------------------------------------------------------------

    def office(self) -> Iterator[Event]:
        """Two weeks of files opened and shared."""
        for _ in range(4000):
            operation = self.chance.choices(("FileAccessed", "FileDownloaded", "SharingSet"), (80, 15, 5))[0]
            yield self.file_event(self.workday(14), self.chance.choice(self.users), operation)
        for day in range(4):
            yield self.file_event(day * 3 * DAY + 2 * HOUR, self.leaver, "AnonymousLinkCreated")
        for day in range(5):  # public links, and next to nothing uploaded
            yield self.file_event(day * DAY + 3 * HOUR, self.users[14], "AnonymousLinkCreated")

    def file_event(self, age: float, user: str, operation: str) -> Event:
        record = {
            "OfficeWorkload": "SharePoint",
            "RecordType": "SharePointFileOperation",
            "Operation": operation,
            "UserId": user.title() if self.chance.random() < 0.1 else user,
            "ClientIP": self.homes[user],
            "SourceFileName": f"plan-{self.chance.randint(1, 400)}.xlsx",
            "Type": "OfficeActivity",
        }
        return Event(age, record)

    # Web server -----------------------------------------------------------------------------------------------------

    def web_requests(self) -> Iterator[Event]:
        """A day at a web server with Windows logon, with three minutes of guessing in it."""
        for _ in range(6000):
            user, age = self.chance.choice(self.users), self.workday()
            yield self.web_request(age + 0.1, self.homes[user], "-", 401, 2, "2148074254")  # the challenge
            yield self.web_request(age, self.homes[user], logon(user), 200, 0, "0")
        for at in range(180):
            user = logon(self.chance.choice(self.users[:60]))
            yield self.web_request(5 * HOUR + 180 - at, IIS_GUESSER, user, 401, 1, "1326", "python-requests/2.31")
        for minute in range(30):  # a probe without a user name, and a service with an old password
            yield from self.failures(minute, 40, "10.20.0.99", "-", "2148074254")
            yield from self.failures(minute, 15, "10.20.0.41", r"NORTHWIND\svc-report", "1330")

    def failures(self, minute: int, times: int, client: str, user: str, reason: str) -> Iterator[Event]:
        for at in range(times):
            yield self.web_request(8 * HOUR + minute * 60 + at + 0.5, client, user, 401, 1, reason, "probe/1.0")

    def web_request(
        self, age: float, client: str, user: str, status: int, sub: int, reason: str, agent: str | None = None
    ) -> Event:
        page = self.chance.choice(("/portal/", "/portal/orders.aspx", "/api/session", "/portal/report.aspx"))
        record = {
            "s-sitename": "W3SVC2",
            "s-computername": f"WEB01.corp.{DOMAIN}",
            "s-ip": "10.20.0.15",
            "cs-method": "GET",
            "cs-uri-stem": page,
            "cs-uri-query": "-",
            "s-port": 443,
            "cs-username": user,
            "c-ip": client,
            "cs(User-Agent)": agent or self.chance.choice(AGENTS),
            "sc-status": status,
            "sc-substatus": sub,
            "sc-win32-status": reason,
            "time-taken": self.chance.randint(2, 900),
        }
        return Event(age, record)


def logon(user: str) -> str:
    """A mail address as a Windows logon."""
    return "NORTHWIND\\" + user.partition("@")[0]


# Formats ------------------------------------------------------------------------------------------------------------


def in_order(events: Iterable[Event]) -> list[Event]:
    """Oldest first, as a log is written."""
    return sorted(events, key=lambda event: -event.age)


def as_json(event: Event) -> str:
    """A Log Analytics record."""
    stamp = event.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps({"TimeGenerated": stamp, **event.record}, separators=(",", ":"))


def as_splunk(event: Event) -> str:
    """An event as Splunk exports it: the text that was logged, with what its index knows of it."""
    raw = json.dumps({"time": event.time.strftime("%a %b %d %H:%M:%S %Y"), **event.record}, separators=(",", ":"))
    known = {"_time": f"{event.time.timestamp():.3f}", "index": "proxy", "sourcetype": "zscalernss-web", "_raw": raw}
    return json.dumps(known, separators=(",", ":"))


def cef(event: Event, product: str) -> str:
    """A CEF line with its syslog header."""
    header = f"{event.time:%b %d %H:%M:%S} collector CEF:0|Zscaler|{product}|6.2|100|{event.record['act']}|3"
    extension = " ".join(f"{key}={escape(value)}" for key, value in event.record.items())
    return f"{header}|rt={round(event.time.timestamp() * 1000)} {extension}"


def escape(value: Any) -> str:
    """CEF escapes backslashes and equals signs in values."""
    return str(value).replace("\\", "\\\\").replace("=", "\\=")


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """A text file."""
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    return path


def write_ndjson_gz(path: Path, events: list[Event]) -> Path:
    """A record a line, compressed; without the time of writing, so that the bytes repeat."""
    text = "".join(as_json(event) + "\n" for event in events)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def write_iis(folder: Path, events: list[Event]) -> list[Path]:
    """One W3C extended log a day, as IIS names and writes it."""
    days: dict[str, list[Event]] = {}
    for event in events:
        days.setdefault(f"{event.time:%y%m%d}", []).append(event)
    return [write_lines(folder / f"u_ex{day}.log", iis_lines(found)) for day, found in days.items()]


def iis_lines(events: list[Event]) -> Iterator[str]:
    """A header that names the fields, then a request a line; `+` stands for a space."""
    fields = list(events[0].record)
    yield "#Software: Microsoft Internet Information Services 10.0"
    yield "#Version: 1.0"
    yield f"#Date: {events[0].time:%Y-%m-%d %H:%M:%S}"
    yield "#Fields: date time " + " ".join(fields)
    for event in events:
        values = " ".join(str(event.record[name]).replace(" ", "+") for name in fields)
        yield f"{event.time:%Y-%m-%d %H:%M:%S} {values}"
