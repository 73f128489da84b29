"""Asks splunkd for what the app does not hold. It is imported when a search needs that, and only then."""

import http.client
import ssl
import urllib.parse

TIMEOUT = 30


def ask(address, key, path, form=None):
    """The status and the text of an answer, to what `form` says, or to a plain request."""
    where = urllib.parse.urlsplit(address)
    if not where.hostname:
        raise ValueError(f"`{address}` is no address of splunkd")
    if not key.isprintable():
        raise ValueError("the session's key cannot be sent")
    if where.scheme == "https":
        # As for Splunk's own clients: splunkd is this machine, and comes with a certificate that nobody has signed.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=TIMEOUT)
    headers = {"Authorization": f"Splunk {key}"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request("GET" if form is None else "POST", path, form, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
