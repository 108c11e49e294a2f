"""Stopping: what ends a campaign before its budget does."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from alloop.campaigns.acquisition import AcquisitionOptions
from alloop.campaigns.objectives import Constraint, Objective, PropertyName


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class PlateauOptions(_Part):
    """Options of stopping where the best does not get better any more."""

    rounds: int = Field(default=3, ge=1, description="number of rounds looked back over")
    gain: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="gain of the best over these rounds, in the objective's unit, that is too "
        "little to go on for",
    )


class HypervolumeGainOptions(_Part):
    """Options of stopping where the Pareto front does not advance any more."""

    rounds: int = Field(default=3, ge=1, description="number of rounds looked back over")
    share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="gain of the hypervolume over these rounds, as a share of it, that is too "
        "little to go on for",
    )


class StoppingOptions(_Part):
    """Options of stopping before the budget is spent; each is looked at before a round begins, and
    the first that applies ends the search. What is due to higher tiers is still promoted.
    """

    target: float | Mapping[PropertyName, float] | None = Field(
        default=None,
        description="value that is good enough, in the objective's unit; with several objectives "
        "one for each, {bulk_modulus: 190, density: 8}, to be reached by one candidate",
    )
    plateau: PlateauOptions | None = Field(
        default=None, description="with one objective: {rounds: 3, gain: 0.1}"
    )
    hypervolume_gain: HypervolumeGainOptions | None = Field(
        default=None, description="with several objectives: {rounds: 3, share: 0.01}"
    )
    probability_of_improvement: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="with one objective, and a strategy that searches: no candidate of the last "
        "round had a larger predicted probability of beating the best before it, with all "
        "constraints",
    )

    def targets(self, objectives: Sequence[Objective]) -> dict[str, float]:
        """Return the target of each objective's property; empty without any."""
        if self.target is None:
            return {}
        if isinstance(self.target, Mapping):
            return dict(self.target)
        return {objectives[0].property: self.target}

    def problem(
        self,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
        acquisition: AcquisitionOptions,
    ) -> tuple[str, str] | None:
        """Return the key that cannot work in a campaign, with the reason and the remedy; None where
        all can."""
        several = len(objectives) > 1
        if several and self.plateau is not None:
            return "plateau", "several objectives have no single best; write hypervolume_gain"
        if not several and self.hypervolume_gain is not None:
            return "hypervolume_gain", "one objective has no Pareto front; write plateau"
        if self.probability_of_improvement is not None:
            if several:
                return (
                    "probability_of_improvement",
                    "several objectives have no single best to improve on; write hypervolume_gain",
                )
            if not acquisition.searches:
                return (
                    "probability_of_improvement",
                    f"strategy {acquisition.strategy} predicts no improvement; remove it",
                )
        return self._target_problem(objectives, constraints)

    def _target_problem(
        self, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> tuple[str, str] | None:
        if isinstance(self.target, int | float) and len(objectives) > 1:
            return "target", "there are several objectives; name them, such as {bulk_modulus: 190}"
        targets, wanted = self.targets(objectives), {o.property: o for o in objectives}
        if stray := sorted(set(targets) - set(wanted)):
            return "target", f"{stray[0]} is no objective; there are {', '.join(wanted)}"
        if targets and (missing := [name for name in wanted if name not in targets]):
            return "target", f"{missing[0]} has none; give one for each objective"
        problems = (
            _unreachable(wanted[name], value, constraints) for name, value in targets.items()
        )
        return next((("target", problem) for problem in problems if problem), None)


def _unreachable(
    objective: Objective, target: float, constraints: Sequence[Constraint]
) -> str | None:
    """Return why nothing can reach a target; None where something might."""
    name = objective.property
    if objective.goal == "window":
        return f"the target of {name} is its window; remove the number"
    for constraint in constraints:
        low, high = constraint.min, constraint.max
        if constraint.property != name:
            continue
        if objective.goal == "maximise" and high is not None and target > high:
            return f"{name} {target:g} is above the constraint's max {high:g}; lower it"
        if objective.goal == "minimise" and low is not None and target < low:
            return f"{name} {target:g} is below the constraint's min {low:g}; raise it"
    return None
