"""The server: pages and news of what is watched, nothing else, and nothing is ever written."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from alloop.loop.report.page import live_policy
from alloop.loop.serve.access import Access, Guard
from alloop.loop.serve.pages import list_policy, sentence_page, without_libraries
from alloop.loop.serve.watch import ServedRun, Watch

NEWS = 0.03
"""Seconds between two looks for news to tell."""
ALIVE = 15.0
"""Seconds of silence after which a line keeps the connection open."""
LISTENERS = 100
"""Largest number of pages that are told news at a time; each is a connection that stays open."""


class LiveServer:
    """Answers of the server."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._listeners = 0

    def app(self, access: Access) -> Starlette:
        """Return the application, which answers only what ``access`` allows."""
        middleware = [Middleware(Guard, access=access)]
        if access.token is not None:  # another machine reads it
            middleware.append(Middleware(GZipMiddleware, compresslevel=1))
        return Starlette(
            routes=[
                Route("/", self._list, methods=["GET"]),
                Route("/part", self._list, methods=["GET"]),
                Route("/events", self._list_news, methods=["GET"]),
                Route("/runs/{name}/", self._run, methods=["GET"]),
                Route("/runs/{name}/part", self._run_part, methods=["GET"]),
                Route("/runs/{name}/events", self._run_news, methods=["GET"]),
            ],
            middleware=middleware,
            exception_handlers={HTTPException: _problem},
        )

    async def _list(self, request: Request) -> Response:
        if self._watch.is_alone:
            (run,) = self._watch.runs.values()
            return RedirectResponse(run.row.address)
        if not self._watch.page.version:
            await run_in_threadpool(self._watch.look)
        return _html(self._watch.page.html, list_policy())

    async def _run(self, request: Request) -> Response:
        return _html(await self._page_of(request), live_policy())

    async def _run_part(self, request: Request) -> Response:
        return _html(without_libraries(await self._page_of(request)), live_policy())

    async def _page_of(self, request: Request) -> str:
        run = self._asked(request)
        await run_in_threadpool(run.refresh, rendered=True)
        return run.page.html

    async def _list_news(self, request: Request) -> Response:
        return self._news(request, lambda: self._watch.page.version)

    async def _run_news(self, request: Request) -> Response:
        run = self._asked(request)
        return self._news(request, lambda: run.page.version, run)

    def _asked(self, request: Request) -> ServedRun:
        run = self._watch.runs.get(request.path_params["name"])
        if run is None:
            raise HTTPException(404, "There is no run of this name here.")
        return run

    def _news(
        self, request: Request, version: Callable[[], str], run: ServedRun | None = None
    ) -> Response:
        if request.method == "HEAD":  # there is no end to wait for
            return Response(media_type="text/event-stream")
        if self._listeners >= LISTENERS:
            raise HTTPException(503, f"{LISTENERS} pages are open already; close some.")
        return StreamingResponse(self._told(version, run), media_type="text/event-stream")

    async def _told(self, version: Callable[[], str], run: ServedRun | None) -> AsyncIterator[str]:
        """Yield a server-sent event for each new version of a page, beginning with the present."""
        loop = asyncio.get_running_loop()
        self._listeners += 1
        try:
            with nullcontext() if run is None else run.looked_at():
                told, at = "", loop.time()
                while not self._watch.closed.is_set():
                    if (now := version()) != told:
                        told, at = now, loop.time()
                        yield f"data: {now}\n\n"
                    elif loop.time() - at > ALIVE:
                        at = loop.time()
                        yield ":\n\n"
                    await asyncio.sleep(NEWS)
        finally:
            self._listeners -= 1


def _html(text: str, policy: str) -> Response:
    return HTMLResponse(text, headers={"content-security-policy": policy})


async def _problem(request: Request, error: Exception) -> Response:
    """Answer in a sentence."""
    assert isinstance(error, HTTPException)  # it is registered for these
    sentence = "There is no such page here." if error.detail == "Not Found" else error.detail
    page = sentence_page("Not here", sentence, is_followed=False)
    return HTMLResponse(page, status_code=error.status_code, headers=error.headers)
