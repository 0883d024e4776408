"""When an alert opens and ends, and what it says.

Pure: risks and moments come in, messages go out.
"""
