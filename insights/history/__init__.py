"""Which events there ever were: the complete history of the clicks, each once, as Delta tables in one folder.

Rows and the positions up to which they are known cross the door in together, in one commit. A `reader.Log`, which is a DuckDB connection over one snapshot, comes out.
"""
