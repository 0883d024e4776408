"""What people look at: the page with its store, what it shows, and how it is drawn.

`stream.cli` starts it, and nothing else imports it: the engine runs without a page.
"""
