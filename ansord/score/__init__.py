"""Judge without running: features of a whole population and the learned cost model. Pure."""

from ansord.score.features import NAMES, VERSION, features
from ansord.score.model import Model, fit

__all__ = ["NAMES", "VERSION", "Model", "features", "fit"]
