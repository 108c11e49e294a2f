"""`alloop latent`: the measured candidates in the latent space of the last model."""

from typing import Annotated

import typer

from alloop.loop.commands.arguments import FormatOption, HtmlOption, PngOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_list
from alloop.loop.commands.printing.text import say_aside

SHOWN_ROWS = 40


def latent(
    run: RunArgument,
    colour: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="a property, phase, round, stage or tier; the first objective's if not given",
        ),
    ] = "",
    format: FormatOption = Format.TABLE,
    html: HtmlOption = None,
    png: PngOption = None,
) -> None:
    """Map what was measured, as the last model sees it.

    Every candidate on the two principal components of its latent points. The page has a map for
    every property, phase, round, stage and tier; the picture has the one that --colour names.
    """
    from alloop.loop.analyse.latent import colouring_of, map_latent_space
    from alloop.loop.commands.analysis.shown import digits_of, shown_point
    from alloop.loop.report.words import units_of_campaign
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    state = folder.state
    colouring = colouring_of(state, colour)
    found = map_latent_space(state, folder.store)
    digits, names = digits_of(state), state.spec.property_names()
    print_list(
        found.rows(state),
        format,
        empty="nothing to show",
        whole=("candidate", "round", "tier"),
        shown=lambda row: shown_point(row, digits, names),
        most=SHOWN_ROWS,
    )
    first, second = found.shares
    say_aside(
        f"{', '.join(names)} by the first tier; model of round {found.round}, whose latent points "
        f"have {first:.0%} and {second:.0%} of their variance along the two components"
    )
    if html is None and png is None:
        return
    from alloop.loop.report.figures.latent_map import latent_figure, latent_figures

    with units_of_campaign(state.spec):
        if html is not None:
            from alloop.loop.report.analysis_page import AnalysisPage, write_analysis_page

            page = AnalysisPage("Alloop latent map", latent_figures(state, found, colouring))
            write_analysis_page(html, state, page)
            say_aside(f"wrote {html}")
        if png is not None:
            from alloop.loop.report.figures.png import write_png

            write_png(latent_figure(state, found, colouring), png)
            say_aside(f"wrote {png}")
