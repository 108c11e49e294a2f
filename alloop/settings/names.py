"""Names of profiles: all that reading a spec needs of the settings."""

from typing import Annotated

from pydantic import Field

DEFAULT = "default"
"""Name of the profile that is taken where a spec names none; it need not be written."""

ProfileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""Name of a profile."""
