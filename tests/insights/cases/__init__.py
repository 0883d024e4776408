"""Cases of analyses as data: events, a query, what must come out. `python -m tests.insights.cases FILE` runs any file of them."""
