"""The page Model, put together from the registry and from what came true. What crosses the door is `view.page_of`."""
