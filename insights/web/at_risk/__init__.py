"""What the page At risk is made of: its filters, rows, figures, files and stream. What crosses the door is used by `insights.web.pages.at_risk` only."""
