"""Pages of the site that are made when it is built: start, reference, benchmarks and notebooks.

A hook of MkDocs: its functions are called by name.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from notebooks import EXECUTED, as_page  # beside: MkDocs puts a hook's folder on the path
from typer.testing import CliRunner

from alloop.campaigns.load import ready_campaigns
from alloop.campaigns.spec import CampaignSpec
from alloop.kinds import MODELS, ORACLES, installed_kinds, options_of
from alloop.loop.commands.registry import app
from alloop.models.options import ModelOptions
from alloop.oracles.options import OracleOptions

ROOT = Path(__file__).parents[2]
SUBJECTS = tuple(sorted(path.parent.name for path in ROOT.glob("benchmarks/*/README.md")))
"""Folders of benchmarks, each with a page of its own."""
REPOSITORY_FILES = ("CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff")
"""Files that pages name and that the site leaves out: their links become their names."""

NOT_EXECUTED = "*Not executed where this page was made: `make notebooks` does it, given the data.*"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of other files and of the code."""
    for address, content in generated_pages():
        files.append(File.generated(config, address, content=content))
    for picture in ROOT.glob("benchmarks/*/pictures/*.png"):
        address = f"benchmarks/pictures/{picture.name}"
        files.append(File.generated(config, address, abs_src_path=str(picture)))
    for executed in sorted(EXECUTED.glob("*.ipynb")):
        if (source := files.get_file_from_path(f"notebooks/{executed.stem}.md")) is None:
            continue  # of a campaign that there is no more
        files.remove(source)
        page, pictures = as_page(executed)
        files.append(File.generated(config, source.src_uri, content=page))
        address = f"notebooks/{executed.name}"
        files.append(File.generated(config, address, abs_src_path=str(executed)))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of a page to the site's pages, and those to code nowhere; the site's menu
    replaces its line of links.
    """
    del config, files
    markdown = re.sub(r"^\[README\]\(.*\) · .*\n", "", markdown, count=1, flags=re.MULTILINE)
    up = "../" * page.file.src_uri.count("/")
    if page.file.src_uri.startswith("notebooks/"):
        is_executed = (EXECUTED / f"{page.file.name}.ipynb").exists()
        return markdown if is_executed else f"{markdown}\n\n{NOT_EXECUTED}\n"
    markdown = markdown.replace("](../README.md", f"]({up}index.md")
    markdown = markdown.replace("](../benchmarks/README.md", f"]({up}benchmarks/index.md")
    markdown = re.sub(r"\]\(\.\./benchmarks/(\w+)/README\.md", rf"]({up}benchmarks/\1.md", markdown)
    return re.sub(r"\[([^\]]*)\]\(\.\./(?:examples|tests)/[^)]*\)", r"\1", markdown)


def generated_pages() -> Iterator[tuple[str, str]]:
    """Yield the address of each page that is made, and its Markdown."""
    yield "index.md", start()
    yield "reference/campaign.md", campaign_keys()
    yield "reference/commands.md", commands()
    yield "reference/python.md", python_reference()
    yield "benchmarks/index.md", benchmarks_page(ROOT / "benchmarks" / "README.md")
    for subject in SUBJECTS:
        text = benchmarks_page(ROOT / "benchmarks" / subject / "README.md")
        yield f"benchmarks/{subject}.md", text


def start() -> str:
    """Return README.md with links as they are from the site's first page."""
    text = (ROOT / "README.md").read_text("utf-8").replace("](docs/", "](")
    text = text.replace('src="docs/', 'src="')
    return _without_files(text.replace("](benchmarks/README.md", "](benchmarks/index.md"))


def benchmarks_page(path: Path) -> str:
    """Return a page of benchmarks; recorded figures are named, not linked."""
    text = re.sub(r"\]\((?:\.\./)?(\w+)/README\.md\)", r"](\1.md)", path.read_text("utf-8"))
    text = text.replace("](../README.md)", "](index.md)")
    return re.sub(r"\[([^\]]*)\]\((?:\.\./)*results/[^)]*\)", r"\1", _without_files(text))


def campaign_keys() -> str:
    """Return every key of a campaign with its type, default and meaning, from the spec's schema."""
    schema = CampaignSpec.model_json_schema()
    definitions = schema.get("$defs", {})
    lines = ["# Keys of a campaign", "", "Made of the spec's schema. `alloop check` prints a"]
    lines += ["campaign with every default filled in; ready ones to begin with are "]
    lines += [", ".join(f"`{name}`" for name in ready_campaigns()) + ".", ""]
    lines += _table("A campaign", schema)
    for name, definition in sorted(definitions.items()):
        if definition.get("properties"):
            lines += _table(name, definition)
    for what, group, base in (("Tier", ORACLES, OracleOptions), ("Model", MODELS, ModelOptions)):
        for kind in installed_kinds(group):
            options = options_of(group, kind, base)
            lines += _table(f"{what} of kind `{kind}`", options.model_json_schema())
    return "\n".join(lines) + "\n"


def _table(title: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"## {title}", "", "| key | value | default | meaning |", "|---|---|---|---|"]
    required = set(schema.get("required", ()))
    for key, value in schema.get("properties", {}).items():
        default = "required" if key in required else _in_a_cell(_yaml(value.get("default")))
        meaning = _in_a_cell(value.get("description", ""))
        lines.append(f"| `{key}` | {_in_a_cell(_type_of(value))} | {default} | {meaning} |")
    return [*lines, ""]


def _type_of(value: dict[str, Any]) -> str:
    """Return what a value may be, in words."""
    if "const" in value:
        return str(value["const"])
    if "enum" in value:
        return ", ".join(map(str, value["enum"]))
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    for joined in ("anyOf", "oneOf", "allOf"):
        if joined in value:
            return " or ".join(dict.fromkeys(_type_of(each) for each in value[joined]))
    if value.get("type") == "array" and isinstance(value.get("items"), dict):
        return f"list of {_type_of(value['items'])}"
    return str(value.get("type", "any"))


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _in_a_cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ").replace("<", "&lt;")


def commands() -> str:
    """Return the help of every command, as the command line prints it."""
    runner, names = CliRunner(), list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    lines = ["# Commands", "", "What `alloop COMMAND --help` says.", ""]
    for name in names:
        said = runner.invoke(app, [name, "--help"], prog_name="alloop", terminal_width=100).output
        lines += [f"## alloop {name}", "", "```text", said.strip(), "```", ""]
    return "\n".join(lines)


PYTHON = (
    "alloop.loop.python.campaign",
    "alloop.loop.python.suggestion",
    "alloop.oracles.base",
    "alloop.oracles.options",
    "alloop.models.base",
    "alloop.models.options",
    "alloop.testing",
    "alloop.loop.run_folder",
    "alloop.loop.compare.comparison",
    "alloop.space",
)
"""Modules that people import."""


def python_reference() -> str:
    """Return the page on which the docstrings of the modules stand that people import."""
    return "# Python\n\n" + "\n\n".join(f"::: {name}" for name in PYTHON) + "\n"


def _without_files(text: str) -> str:
    for name in REPOSITORY_FILES:
        text = re.sub(rf"\[([^\]]*)\]\((?:\.\./)*{re.escape(name)}[^)]*\)", r"\1", text)
    return text
