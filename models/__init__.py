"""What learns: generative models of compositions, decorations and crystals.

Importing this imports no torch.
"""

from alloop.models.base import Dataset, FitSummary, GenerativeModel, Prediction
from alloop.models.options import ModelOptions

__all__ = ["Dataset", "FitSummary", "GenerativeModel", "ModelOptions", "Prediction"]
