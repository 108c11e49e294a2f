import os

from hypothesis import settings

# No test finds labels of another one, or of the user's; those that are about labels say where.
os.environ["ALLOOP_CACHE"] = "off"

# How long an example takes is the machine's affair, not the test's.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
