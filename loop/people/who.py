"""Who changes something in a campaign by hand, and why: both stand in the event."""

import getpass
import os
import re

from alloop.errors import AlloopError
from alloop.loop.record.records import MOST_WORDS

MOST_AGENT = 60
"""Largest number of characters that are kept of an agent's name."""


def user_name() -> str:
    """Return the name of the user of this process, as the system or its environment has it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in many containers
        return f"user {os.getuid()}"


def agent_name(claimed: str) -> str:
    """Return the name under which what an agent does is recorded: the user's, and its own.

    Args:
        claimed: name that the agent's client gives itself. It proves nothing; what is no ASCII
            letter, digit or one of ``. _ -`` becomes a blank, so that it can neither look like
            somebody else's name nor end the brackets that it stands in.
    """
    plain = " ".join(re.sub(r"[^A-Za-z0-9._-]", " ", claimed).split())[:MOST_AGENT].strip()
    return f"{user_name()[:100]} (agent: {plain or 'unnamed'})"


def checked_reason(why: str) -> str:
    """Return a reason, without blanks around it.

    Raises:
        AlloopError: if there is none, or it is too long or not UTF-8.
    """
    text = why.strip()
    if not text:
        raise AlloopError("a change needs a reason", remedy='Say it with --why "…".')
    if len(text) > MOST_WORDS:
        raise AlloopError(
            f"a reason of {len(text)} characters is too long", remedy=f"At most {MOST_WORDS}."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise AlloopError("the reason is not UTF-8", remedy="Write it otherwise.") from error
    return text
