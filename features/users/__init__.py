"""What is known of one user.

Columns of events come in, state records are changed in place, and vectors and moments go out. All of it is pure, and most of it compiled.
"""
