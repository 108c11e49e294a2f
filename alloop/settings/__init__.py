"""Settings of whoever runs Alloop: programs, schedulers and their options, under profile names.

A spec says what is measured and names a profile; how and where it is run stands here, in a file of
the user's own, so that a spec or run from elsewhere brings no command with it.
"""
