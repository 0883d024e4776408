"""What does the report say, and what changed since the last one? The page Today and its numbers, as one HTML file and as a picture."""
