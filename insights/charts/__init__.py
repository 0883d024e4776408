"""How do figures look? Charts as SVG text by pure functions, their colours by name, and the same drawing as a PNG: one drawing for page, mail and file."""
