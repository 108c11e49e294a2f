"""Settings of whoever runs Alloop: programs, schedulers and their options, under profile names.

A spec says what is measured and names a profile; how and where it is run stands here, in a file of
the user's own, so that a spec or run from elsewhere brings no command with it.
"""

from alloop.settings.moved import refuse_moved
from alloop.settings.profiles import (
    DEFAULT,
    Command,
    DaskSettings,
    EspressoSettings,
    JobflowRemoteSettings,
    Profile,
    ProfileName,
    Settings,
    SlurmSettings,
    VaspSettings,
)
from alloop.settings.settings_file import find_profile, read_settings, settings_path

__all__ = [
    "DEFAULT",
    "Command",
    "DaskSettings",
    "EspressoSettings",
    "JobflowRemoteSettings",
    "Profile",
    "ProfileName",
    "Settings",
    "SlurmSettings",
    "VaspSettings",
    "find_profile",
    "read_settings",
    "refuse_moved",
    "settings_path",
]
