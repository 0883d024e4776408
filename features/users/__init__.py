"""What is known of one user.

Columns of events come in, state records are changed in place, vectors and moments go out. Pure and compiled.
"""
