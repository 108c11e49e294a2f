"""Who may read: methods, names of the host, the token, and what each answer allows a browser.

On loopback whoever can log in to the machine may read; a page of somebody else's that a browser
there has open may not: it gets no answer under a name that is not the machine's own (DNS
rebinding), and none that it could read under ours (no CORS, ``Cross-Origin-Resource-Policy``). On
any other address each request carries the token.
"""

import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alloop.loop.serve.pages import list_policy, sentence_page

METHODS = ("GET", "HEAD")
HEADERS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
"""Headers of every answer."""


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def new_token() -> str:
    """Return a token that nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Access:
    """Rules of one server."""

    host: str
    """Address that it listens on."""
    port: int
    token: str | None
    """None on loopback, where none is asked for."""

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers do not tell ports apart."""
        return f"alloop-{self.port}"

    def allows_host(self, header: str) -> bool:
        """Return whether a request's Host header names this machine. With a token any may."""
        if self.token is not None:
            return True
        name, _, port = header.rpartition(":") if _has_port(header) else (header, "", "80")
        names = {"localhost", "127.0.0.1", "[::1]", self.host, f"[{self.host}]"}
        return name.lower() in names and port == str(self.port)

    def knows(self, headers: Headers) -> bool:
        """Return whether a request carries the token, as bearer or cookie."""
        if self.token is None:
            return True
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(bearer.strip()):
            return True
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and self.is_token(morsel.value)

    def is_token(self, given: str) -> bool:
        """Return whether a text is the token, in a time that does not depend on how near it is."""
        token = self.token or ""
        return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _has_port(header: str) -> bool:
    return ":" in header.rpartition("]")[2]


class Guard:
    """Middleware that turns away what may not be answered, and sets every answer's headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                policy = headers.get("content-security-policy", list_policy())
                headers["content-security-policy"] = f"{policy}; frame-ancestors 'none'"
            await send(message)

        answer = self._refusal(Request(scope))
        await (answer or self._app)(scope, receive, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that goes no further."""
        access, headers = self._access, request.headers
        if request.method not in METHODS:
            return PlainTextResponse(
                "These pages are only read: GET and HEAD.\n",
                status_code=405,
                headers={"allow": ", ".join(METHODS)},
            )
        if not access.allows_host(headers.get("host", "")):
            return PlainTextResponse(
                f"This server answers only to http://localhost:{access.port}/.\n", status_code=421
            )
        given = request.query_params.get("token")
        if given is not None and access.is_token(given):
            return self._welcome(request)
        if not access.knows(headers):
            said = "is missing" if given is None and not _tries(headers, access) else "is wrong"
            return HTMLResponse(
                sentence_page(
                    "No access",
                    f"The access token {said}. Open the address that `alloop serve` printed when "
                    "it was started, with its token.",
                    is_alone=True,
                    is_followed=False,
                ),
                status_code=401,
                headers={"www-authenticate": "Bearer"},
            )
        return None

    def _welcome(self, request: Request) -> Response:
        """Give the token as a cookie, and lead to the same address without it.

        A redirect would be followed without the cookie where another site's link led here.
        """
        query = [(k, v) for k, v in parse_qsl(request.url.query) if k != "token"]
        address = request.url.path + (f"?{urlencode(query)}" if query else "")
        # A path such as //host would lead elsewhere.
        address = "/" + address.lstrip("/\\")
        answer = HTMLResponse(
            sentence_page("Welcome", "One moment.", is_alone=True, is_followed=False).replace(
                "</head>", f'<meta http-equiv="refresh" content="0; url={escape(address)}"></head>'
            )
        )
        answer.set_cookie(
            self._access.cookie,
            self._access.token or "",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer


def _tries(headers: Headers, access: Access) -> bool:
    return "authorization" in headers or access.cookie in headers.get("cookie", "")
