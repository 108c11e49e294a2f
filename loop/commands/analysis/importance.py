"""`alloop importance`: how each descriptor moves what the last model predicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alloop.loop.commands.arguments import FormatOption, HtmlOption, PngOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_csv, print_json, print_list
from alloop.loop.commands.printing.text import say_aside

if TYPE_CHECKING:
    from alloop.loop.analyse.importance_record import Importance
    from alloop.loop.state.campaign_state import CampaignState


def importance(
    run: RunArgument,
    property: Annotated[
        str,
        typer.Option(metavar="NAME", help="of the campaign; the first objective's if not given"),
    ] = "",
    of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="a candidate to explain by itself (waterfall); may be given again"
        ),
    ] = None,
    format: FormatOption = Format.TABLE,
    html: HtmlOption = None,
    png: PngOption = None,
) -> None:
    """Show what moves the last model's predictions.

    SHAP values of the model's descriptors over what is known and, for orderings, the weights of
    composition and pair correlations. JSON holds every value.
    """
    from alloop.loop.analyse.importance import importance as importance_of
    from alloop.loop.analyse.trained_run import TrainedRun
    from alloop.loop.commands.analysis.shown import shown_contribution, shown_descriptor
    from alloop.loop.report.words import units_of_campaign, value_of
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.choices import find_candidate

    folder = RunFolder.read(run)
    state = folder.state
    found = importance_of(TrainedRun.of(state, folder.store), property, of=of or ())
    ids = [find_candidate(state, beginning) for beginning in of or ()]
    match format:
        case Format.JSON:
            print_json(found.to_json())
        case Format.CSV:
            print_csv(found.rows())
        case Format.TABLE:
            print_list(found.rows(), format, empty="", shown=shown_descriptor)
            name, base = found.explanation.property_name, found.explanation.base
            with units_of_campaign(state.spec):
                say_aside(
                    f"{name}: mean prediction {value_of(name, base)}, over {len(found.candidates)} "
                    f"materials, by the model of round {found.round}"
                )
                for id in ids:
                    row = found.candidates.index(id)
                    value = value_of(name, float(found.explanation.values[row]))
                    say_aside(f"{found.explanation.formulas[row]}: predicted {value}, by")
                    print_list(
                        found.candidate_rows(id),
                        format,
                        empty="",
                        shown=shown_contribution,
                    )
    if html is not None or png is not None:
        with units_of_campaign(state.spec):
            _write(state, found, ids, html, png)


def _write(
    state: "CampaignState", found: "Importance", ids: list[str], html: Path | None, png: Path | None
) -> None:
    from alloop.loop.report.analysis_page import AnalysisPage, write_analysis_page
    from alloop.loop.report.figures.importance import figures_of, waterfall_figure
    from alloop.loop.report.figures.png import write_png

    figures = figures_of(found)
    figures += [(f"Candidate {id[:10]}", waterfall_figure(found, id)) for id in ids]
    if html is not None:
        write_analysis_page(html, state, AnalysisPage("Alloop importances", figures))
        say_aside(f"wrote {html}")
    if png is not None:
        write_png(figures[-1][1] if ids else figures[0][1], png)
        say_aside(f"wrote {png}")
