"""What does a board show? The questions that people have kept, each with its answer as a number, a drawing or a table; records and answers in, views for the templates out."""
