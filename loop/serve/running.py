"""Listening: the socket, taken before anything is said, and the server that runs on it."""

import errno
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from alloop.errors import RunError
from alloop.loop.report.page import live_policy
from alloop.loop.serve.access import Access, is_loopback, new_token
from alloop.loop.serve.server import LiveServer
from alloop.loop.serve.watch import Watch


def serve(paths: Sequence[Path], *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve runs, and folders of them, until a signal ends it.

    Args:
        paths: runs and folders of runs.
        host: address to listen on; any but loopback asks for a token.
        port: 0 for a free one.
        announce: gets the address once it is served, with its token where there is one.

    Raises:
        RunError: if a path is no run and no folder, or the port cannot be used.
    """
    watch = Watch(paths)
    with _listening(host, port) as taken:
        taken_port = taken.getsockname()[1]
        access = Access(host, taken_port, None if is_loopback(host) else new_token())
        live_policy()  # reads and hashes the scripts, once
        config = uvicorn.Config(
            LiveServer(watch).app(access),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            limit_concurrency=300,
            timeout_graceful_shutdown=2,
        )
        watch.start()
        try:
            announce(_address(host, taken_port, access.token))
            with _signals_taken():
                _Server(config, watch).run(sockets=[taken])
        finally:
            watch.close()


class _Server(uvicorn.Server):
    """Server that lets those who wait for news go when it is to end."""

    def __init__(self, config: uvicorn.Config, watch: Watch) -> None:
        super().__init__(config)
        self._watch = watch

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End at a signal."""
        self._watch.close()
        super().handle_exit(sig, frame)


@contextmanager
def _signals_taken() -> Iterator[None]:
    """Have a signal that ended the server do nothing more: uvicorn raises it again afterwards."""
    before = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take a port.

    Raises:
        RunError: if somebody has it, it may not be taken, or the host is none of this machine's.
    """
    where = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
    except (OSError, OverflowError, UnicodeError) as error:
        raise RunError(
            f"this is no address to listen on ({error})",
            where=where,
            remedy="Give an address of this machine with --host.",
        ) from error
    with taken:
        try:
            # A server that ended a moment ago does not keep the port; one that runs does.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(128)
        except OSError as error:
            is_used = error.errno == errno.EADDRINUSE
            what = "another program listens there" if is_used else str(error.strerror)
            raise RunError(
                f"the port cannot be used ({what})",
                where=where,
                remedy="Choose another with --port, or end that program.",
            ) from error
        yield taken


def _address(host: str, port: int, token: str | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    if host in ("0.0.0.0", "::"):
        shown = socket.gethostname()
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
