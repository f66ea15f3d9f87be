"""The paper's benchmark: 13 operators in four shapes each, ansord against its peers, all in turn."""
