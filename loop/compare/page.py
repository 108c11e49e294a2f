"""The page of a comparison: one file that needs nothing else, in the report's look.

Names come from people's files; they are escaped, and only the scripts written here run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from alloop.durable import write_durably
from alloop.loop.compare.as_json import factor_curves_of
from alloop.loop.compare.comparison import Comparison
from alloop.loop.compare.figures import (
    acceleration_figure,
    best_figure,
    enhancement_figure,
    front_figure,
    regret_figure,
)
from alloop.loop.compare.tables import contrast_rows, group_rows, run_rows, target_rows
from alloop.loop.report import page as report
from alloop.loop.report.figures.style import DARK, Figure
from alloop.loop.report.libraries import content_policy, library
from alloop.loop.report.page import figures_script, island, page_environment
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import describe_search, units_of_campaign

HERE = Path(__file__).parent
REPORT = Path(report.__file__).parent
TEXT_COLUMNS = ("group", "baseline", "run", "state")


def write_comparison_page(comparison: Comparison, path: Path) -> None:
    """Write a comparison as one self-contained HTML file.

    Raises:
        RunError: if the file cannot be written.
    """
    write_durably(path, render_comparison(comparison).encode())


def render_comparison(comparison: Comparison) -> str:
    """Return the page's HTML."""
    spec = comparison.groups[0].runs[0].run.spec
    with units_of_campaign(spec):
        curves = factor_curves_of(comparison)
        figures: dict[str, Figure | None] = {
            "best": best_figure(comparison),
            "regret": regret_figure(comparison),
            "front": front_figure(comparison),
            "acceleration": acceleration_figure(comparison, curves) if curves else None,
            "enhancement": enhancement_figure(comparison, curves) if curves else None,
        }
        sought = describe_search(spec)
    drawn = [figure for figure in figures.values() if figure is not None]
    plotly = library("plotly")
    script = figures_script()
    return (
        page_environment(HERE, REPORT)
        .get_template("compare.html.j2")
        .render(
            figures,
            title=" · ".join(group.name for group in comparison.groups),
            sought=sought,
            differing=comparison.differing,
            groups=_table(group_rows(comparison)),
            targets=_table(target_rows(comparison)),
            contrasts=_table(contrast_rows(comparison)),
            runs=_table(run_rows(comparison)),
            notes=comparison.notes,
            css=Markup((REPORT / "report.css").read_text("utf-8")),
            script=Markup(script),
            libraries=[(plotly.name, Markup(plotly.packed))],
            policy=content_policy([script, plotly.script]),
            figure_island=island({figure.id: figure.spec for figure in drawn}),
            theme_island=island(DARK),
        )
    )


def _table(rows: Sequence[Mapping[str, str]]) -> ReportTable | None:
    if not rows:
        return None
    heads = tuple(rows[0])
    numeric = tuple(i for i, head in enumerate(heads) if head not in TEXT_COLUMNS)
    return ReportTable(heads, tuple(tuple(row.values()) for row in rows), numeric)
