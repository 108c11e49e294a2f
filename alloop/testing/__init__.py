"""Conformance checks for everybody's test suites: what each kind of oracle and model promises.

from alloop.testing import check_model, check_oracle
"""

from alloop.testing.models import check_model
from alloop.testing.oracles import check_measurement, check_oracle

__all__ = ["check_measurement", "check_model", "check_oracle"]
