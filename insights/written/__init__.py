"""How is what an analysis found written? As tables for people, as JSON for programs, as files for spreadsheets and BI.

A `Result` and words of one language come in; tables, texts and files go out. Nothing here asks the history.
"""
