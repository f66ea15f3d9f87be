"""Search experiments: pools of measured programs, strategies replayed on them, ablations with plots."""
