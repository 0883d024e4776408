"""The page: a process of its own that draws pages on the server and answers programs under /api/v1. Its door is `program.main`."""
