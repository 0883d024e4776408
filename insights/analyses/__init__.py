"""What does the history tell of the crowd? One file an analysis, over an open log; `catalog.py` lists them all.

An open log (`crowd.Crowd`) and parameters come in; a `Result` of rows in the long form, with what was known at the time, goes out.
"""
