"""What does a log suggest when nobody has said anything about it? An open log goes in, a guess with its grounds comes out."""
