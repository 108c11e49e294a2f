"""Text from data as one line that can be shown anywhere, whatever it holds."""


def visible(text: object) -> str:
    r"""Return one line without control characters: those, and what no screen shows, become
    escapes such as ``\n`` and ``\x1b``.

    Names, labels and messages come from files and from other people's runs. A terminal would obey
    the escapes in them.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text)
    )
