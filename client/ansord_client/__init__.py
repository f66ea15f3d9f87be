"""The client of ansord: read a subgraph, look up its tuned kernel, call it. Never imports `ansord`."""
