"""The one reader for files of events. It says what a file holds before anything is done with it.

`options.ReadOptions` goes in. Frames of usable events (`reader.EventFile`) come out, and a `summary.Summary` that counts every other row.
"""
