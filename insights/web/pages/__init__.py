"""One file a page: its filters, what it shows, and the template that shows it. What crosses the door is a router for each page."""
