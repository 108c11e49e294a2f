"""The page of an analysis: figures and tables in one file that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from alloop.durable import write_durably
from alloop.loop.report.figures.style import DARK, Figure
from alloop.loop.report.libraries import content_policy, library
from alloop.loop.report.page import HERE, figures_script, island, page_environment
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import describe_search
from alloop.loop.state.campaign_state import CampaignState


@dataclass(frozen=True)
class AnalysisPage:
    """Contents of a page, under the campaign's name and aim."""

    overline: str
    """Kind of the page, above its title."""
    figures: Sequence[tuple[str, Figure]]
    """Figures with their headings."""
    tables: Sequence[tuple[str, ReportTable]] = ()
    notes: Sequence[str] = ()


def write_analysis_page(path: Path, state: CampaignState, page: AnalysisPage) -> None:
    """Write a page as one self-contained HTML file.

    Raises:
        RunError: if the file cannot be written.
    """
    write_durably(path, render_analysis(state, page).encode(), is_shared=True)


def render_analysis(state: CampaignState, page: AnalysisPage) -> str:
    """Return the page's HTML; the caller sets the campaign's units (``units_of_campaign``)."""
    plotly, script = library("plotly"), figures_script()
    return (
        page_environment(HERE)
        .get_template("analysis.html.j2")
        .render(
            title=state.spec.name,
            overline=page.overline,
            sought=describe_search(state.spec),
            notes=page.notes,
            figures=page.figures,
            tables=page.tables,
            css=Markup((HERE / "report.css").read_text("utf-8")),
            script=Markup(script),
            libraries=[(plotly.name, Markup(plotly.packed))],
            policy=content_policy([script, plotly.script]),
            figure_island=island({figure.id: figure.spec for _, figure in page.figures}),
            theme_island=island(DARK),
        )
    )
