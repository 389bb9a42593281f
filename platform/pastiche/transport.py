"""Send requests to one server, and turn every way that can go wrong into an error of the command line."""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit, urlunsplit
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from evaluation.zips.rules import MEGABYTE
from pastiche.errors import CheckFailed, LoginNeeded, NetworkError, PasticheError, Refused
from pastiche.language import language, say

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes
LONG_TIMEOUT = (10.0, 600.0)  # the server reads the whole archive before it answers
BUSY_PAUSES = (
    1.0,
    2.0,
    4.0,
    8.0,
    15.0,
)  # seconds, while a broken-off try of the same request is still at work
RETRY = Retry(
    total=3,
    backoff_factor=0.3,
    status_forcelist=(502, 503, 504),
    allowed_methods={"GET"},
    raise_on_status=False,
    respect_retry_after_header=False,
)

Progress = Callable[[int, int], object]


class Transport:
    """A session with one server; the token goes to that server only, and into no message."""

    def __init__(self, base_url: str, token: str, retry: Retry) -> None:
        """Keep the address and the token; nothing is sent yet."""
        self._server = base_url.rstrip("/")
        self._token = token
        self._session = _session(token, retry)
        # For writes that the server takes twice without doing them twice.
        self._patient = _session(token, retry.new(allowed_methods=None))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
        self._patient.close()

    def get(self, path: str, query: Mapping[str, str | int]) -> bytes:
        """Send GET, which is repeated where the network or a gateway fails."""
        return self._send(requests.Request("GET", self._address(path), params=dict(query)), TIMEOUT)

    def download(self, path: str, target: Path, progress: Progress) -> None:
        """Send GET and write the answer to a file as it comes; `progress` is told bytes written and in all."""
        request = requests.Request("GET", self._address(path))
        try:
            with (
                self._answer(request, LONG_TIMEOUT, self._session, stream=True) as answer,
                target.open("wb") as file,
            ):
                size, written = int(answer.headers.get("Content-Length", 0)), 0
                for chunk in answer.iter_content(MEGABYTE):
                    written += file.write(chunk)
                    progress(written, max(size, written))
        except requests.RequestException as error:
            raise self._unreachable(error) from error

    def fetch(self, address: str) -> bytes:
        """Send GET to an address that the server gave, a path or a whole one; it never leads to another host."""
        return self._send(requests.Request("GET", self._own(address)), TIMEOUT)

    def clock_ahead(self, path: str) -> float | None:
        """Compare this machine's clock with the one in the head of an answer."""
        answer = self._answer(requests.Request("GET", self._address(path)), TIMEOUT, self._session)
        try:
            return time.time() - parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (LookupError, ValueError):
            return None

    def post(self, path: str, fields: Mapping[str, object], *, may_repeat: bool = False) -> bytes:
        """Send POST with a JSON object: once, unless a repetition does no harm."""
        request = requests.Request("POST", self._address(path), json=dict(fields))
        return self._send(request, LONG_TIMEOUT, self._patient if may_repeat else self._session)

    def create(self, path: str, fields: Mapping[str, object]) -> bytes:
        """Send POST that makes one thing however often the network lets it arrive."""
        headers = {"Idempotency-Key": str(uuid4())}
        request = requests.Request("POST", self._address(path), json=dict(fields), headers=headers)
        for pause in BUSY_PAUSES:
            try:
                return self._send(request, LONG_TIMEOUT, self._patient)
            except Refused as error:
                if error.code != "IDEMPOTENCY_KEY_BUSY":
                    raise
            time.sleep(pause)
        return self._send(request, LONG_TIMEOUT, self._patient)

    def put(self, path: str, body: IO[bytes], digest: str) -> bytes:
        """Send PUT with bytes and their digest, once: the caller looks what has arrived before it repeats."""
        headers = {"Content-Type": "application/octet-stream", "Content-Digest": digest}
        return self._send(requests.Request("PUT", self._address(path), data=body, headers=headers), TIMEOUT)

    def delete(self, path: str) -> None:
        """Send DELETE."""
        self._send(requests.Request("DELETE", self._address(path)), TIMEOUT)

    def _address(self, path: str) -> str:
        return f"{self._server}/api/v1{path}"

    def _own(self, address: str) -> str:
        """Write an address with scheme and host of the configured server, or raise where its host is another."""
        try:
            target = urlsplit(urljoin(f"{self._server}/", address))
            is_own = _host(target.netloc) == _host(urlsplit(self._server).netloc)
        except ValueError:
            is_own = False
        if not is_own:
            raise NetworkError(
                say("The server's answer leads to another host: {place}.", place=self._clean(address)[:200]),
                fix=say(
                    "Log in with the address that the server itself uses: `pastiche login --server ADDRESS`."
                ),
                code="BAD_ANSWER",
            )
        own = urlsplit(self._server)
        return urlunsplit((own.scheme, own.netloc, target.path, target.query, ""))

    def _send(
        self,
        request: requests.Request,
        timeout: tuple[float, float],
        session: requests.Session | None = None,
    ) -> bytes:
        return self._answer(request, timeout, session or self._session).content

    def _answer(
        self,
        request: requests.Request,
        timeout: tuple[float, float],
        session: requests.Session,
        *,
        stream: bool = False,
    ) -> requests.Response:
        try:
            prepared = session.prepare_request(request)
            settings = session.merge_environment_settings(prepared.url, {}, stream, None, None)
            answer = session.send(prepared, timeout=timeout, allow_redirects=False, **settings)
        except requests.RequestException as error:
            raise self._unreachable(error) from error
        if answer.status_code // 100 == 2:
            return answer
        raise self._refusal(answer)

    def _unreachable(self, error: requests.RequestException) -> NetworkError:
        return NetworkError(
            say("{server} cannot be reached: {reason}.", server=self._server, reason=_reason(error)),
            fix=say("Check the address and the network, then run the command again."),
        )

    def _refusal(self, answer: requests.Response) -> PasticheError:
        status = answer.status_code
        told = _told(answer)
        message = told.get("message") or say(
            "{server} answered with HTTP status {status}.", server=self._server, status=status
        )
        fix = told.get("fix", "")
        if 300 <= status < 400:
            place = answer.headers.get("Location", "")[:200]
            message = say("{server} sends you to another address, {place}.", server=self._server, place=place)
            fix = fix or say("Log in with that address: `pastiche login --server ADDRESS`.")
        kind = _kind(status, told.get("code", ""))
        if kind is NetworkError:
            fix = fix or say("Wait a little, then run the command again.")
        fields = {
            name.removeprefix("fields."): self._clean(text)
            for name, text in told.items()
            if name.startswith("fields.")
        }
        return kind(self._clean(message), fix=self._clean(fix), code=told.get("code", ""), fields=fields)

    def _clean(self, text: str) -> str:
        return text.replace(self._token, "[token]") if self._token else text


def _session(token: str, retry: Retry) -> requests.Session:
    session = requests.Session()
    session.auth = _TokenAuth(token)
    session.headers["Accept"] = "application/json"
    session.headers["Accept-Language"] = "zh-hans" if language() == "zh" else "en"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


class _TokenAuth(AuthBase):
    """Set the header in a way that no .netrc file can override."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Token {self._token}"
        return request


def _host(netloc: str) -> str:
    """Drop the port that goes without saying: behind a proxy the server may think that it speaks plain HTTP."""
    return netloc.lower().removesuffix(":80").removesuffix(":443")


def _kind(status: int, code: str) -> type[PasticheError]:
    if status == 401:
        return LoginNeeded
    if status >= 500 or status == 408 or code == "TOO_MANY_REQUESTS":
        return NetworkError
    return CheckFailed if code in ("INVALID_BUNDLE", "INVALID_MANIFEST") else Refused


def _told(answer: requests.Response) -> dict[str, str]:
    """Read the error body; {} where something other than our server answered."""
    try:
        error = answer.json()["error"]
        told = {name: str(error.get(name) or "")[:2000] for name in ("code", "message", "fix")}
        fields = error.get("fields") or {}
        return told | {f"fields.{name}": str(text)[:500] for name, text in fields.items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return say("its certificate cannot be trusted")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return say("no connection in time")
    if isinstance(error, requests.exceptions.Timeout):
        return say("no answer in time")
    if isinstance(error, requests.exceptions.ProxyError):
        return say("the proxy does not let the request through")
    return say("the connection failed or broke off")
