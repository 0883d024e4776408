"""Has a watched number gone out of bounds, or come back? Readings and a state in, the next state and what is to be told out; pure."""
