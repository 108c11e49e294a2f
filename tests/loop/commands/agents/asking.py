"""An agent in the tests: the client of the SDK, in this process or over standard streams."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, Implementation, TextContent

from alloop.loop.commands.agents.runs import ServedFolder
from alloop.loop.commands.agents.server import build_server

LIMIT = 300.0
"""Seconds after which something hangs."""


class Agent:
    """A client of the SDK with a session under way."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        return await self.client.call_tool(tool, arguments)

    async def ask(self, tool: str, **arguments: Any) -> Any:
        """Return what a tool says; fail where it refuses."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert json.loads(text_of(result)) == result.structured_content
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Return why a tool refuses; fail where it does not."""
        result = await self.call(tool, **arguments)
        assert result.is_error, result.structured_content
        return text_of(result)


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def session(
    server: ServedFolder | StdioServerParameters,
    talk: Callable[[Agent], Awaitable[None]],
    name: str = "test-agent",
) -> None:
    """Hold a session with a server: of a folder in this process, or with a command's."""

    async def held() -> None:
        there = server if isinstance(server, StdioServerParameters) else build_server(server)
        with anyio.fail_after(LIMIT):
            client = Client(there, client_info=Implementation(name=name, version="1"))
            async with client as open_client:
                await talk(Agent(open_client))

    anyio.run(held)


def writable(folder: Path) -> ServedFolder:
    return ServedFolder.of(folder, allows_writing=True)
