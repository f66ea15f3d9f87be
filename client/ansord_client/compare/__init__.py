"""What "equals the reference" means: inputs to try, the answers to them, the verdict on a kernel's outputs.

Called by whoever checks a kernel. Runs no kernel itself.

- "normal": standard normal floats, integers over their whole range.
- "integer": small whole numbers on which all sums and products are exact, in any order: outputs that hold
  nothing else must be equal to the bit, so that a dropped or doubled term shows.
- "special": a NaN and infinities in one input: outputs must have the same class everywhere.
"""

from __future__ import annotations

from ansord_client.compare.answers import answers
from ansord_client.compare.bounds import between, bounds
from ansord_client.compare.draws import KINDS, draws, inputs
from ansord_client.compare.verdict import Verdict, judge

__all__ = ["KINDS", "Verdict", "answers", "between", "bounds", "draws", "inputs", "judge"]
