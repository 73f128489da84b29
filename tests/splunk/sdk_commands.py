"""Search commands on Splunk's own Python SDK, for what bytes mean: the tests run them beside the app's."""

import collections
import sys

from splunklib.searchcommands import Configuration, ReportingCommand, StreamingCommand, dispatch


@Configuration()
class Pass(StreamingCommand):
    """Gives every row back."""

    def stream(self, records):
        yield from records


@Configuration()
class Keep(StreamingCommand):
    """Keeps the rows whose field `code` is 50126."""

    def stream(self, records):
        return (record for record in records if record["code"] == "50126")


@Configuration()
class Tally(ReportingCommand):
    """Counts by the field `user`. The SDK reduces each chunk by itself, so it waits for the last."""

    def __init__(self):
        super().__init__()
        self.counts = collections.Counter()

    def reduce(self, records):
        self.counts.update(record["user"] for record in records)
        if self._finished:
            for user in sorted(self.counts):
                yield {"user": user, "count_": self.counts[user]}


def run(command):
    dispatch(command, sys.argv, sys.stdin, sys.stdout, "__main__")
