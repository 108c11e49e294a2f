"""Write the tables of benchmarks/README.md from the files in benchmarks/results."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
HEADER = """# Benchmarks

Measured by `make bench-NAME`, which writes `results/NAME.json` and then this page. Numbers are
from one machine, named under each table; ratios are measured side by side in one run. Where
seeds matter, the mean ± standard deviation over them is given.
"""


def main() -> None:
    """Write the page."""
    results = [
        json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("results/*.json"))
    ]
    notes = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("notes/*.md")}
    parts = [HEADER, *(_section(result, notes.get(result["name"], "")) for result in results)]
    (FOLDER / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _section(result: dict[str, Any], notes: str) -> str:
    rows = "\n".join(f"| `{name}` | {_shown(value)} |" for name, value in result["figures"].items())
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    return (
        f"## {result['name']}\n\n`{result['command']}`, {result['date'][:10]}; {machine}.\n\n"
        f"| figure | value |\n|---|---|\n{rows}\n" + (f"\n{notes.strip()}\n" if notes else "")
    )


def _shown(value: Any) -> str:
    match value:
        case {"mean": mean, "std": std}:
            return f"{mean:.4g} ± {std:.2g}"
        case float():
            return f"{value:.4g}"
        case _:
            return str(value)


if __name__ == "__main__":
    main()
