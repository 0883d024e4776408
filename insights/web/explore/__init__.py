"""What does the page Explore show? A form made from the catalog, an answer with links to the people behind it; answers in, views for the templates out."""
