"""The page Person, put together from what Redis, the models and the past know of somebody. What crosses the door is `view.page_of`."""
