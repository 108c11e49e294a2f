"""The spec that a ledger's first event holds."""

from pydantic import ValidationError

from alloop.campaigns.parts import BAD_KIND
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import PluginError, RunError
from alloop.loop.record.events import CampaignOpened


def recorded_spec(opened: CampaignOpened) -> CampaignSpec:
    """Return the campaign's spec as it was recorded.

    Raises:
        PluginError: if a kind of tier or model that it uses is not installed any more, with the
            package that brought it.
        RunError: if this version cannot read the spec.
    """
    try:
        return CampaignSpec.model_validate(opened.spec)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] != BAD_KIND:
            raise RunError(
                f"the campaign's spec is not one that this version reads ({first['msg']})",
                remedy=f"Use Alloop {opened.versions.get('alloop', '')}, which wrote it.",
            ) from error
        context = first["ctx"]
        packages = dict.fromkeys(opened.packages.values())
        needed = " ".join(f"{name}=={opened.versions[name]}" for name in packages)
        begun_with = f"Install what it was begun with: `pip install {needed}`."
        remedy = begun_with if needed else context["remedy"]
        raise PluginError(context["what"], remedy=remedy) from error
