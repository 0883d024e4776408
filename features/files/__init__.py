"""One reader for files of events: what a file holds is said before anything is done with it.

Across the door: `options.ReadOptions` goes in; out come frames of events that are sound (`reader.EventFiles`), and a `summary.Summary` of every row that is not.
"""
