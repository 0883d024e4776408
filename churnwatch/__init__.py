"""What programs of others import: `churnwatch.client`, which asks the page's API. Needs nothing of the engine."""
