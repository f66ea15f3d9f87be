"""What ansord promises, as programs: `make accept` runs them all, `make test` a small fixed draw of each.

A claim is a file here and a row of `table.py`. It drives ansord from outside, as its users do: command line,
files in a directory, client.
"""
