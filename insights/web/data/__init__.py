"""The page Data, put together from what Redis, Kafka and the page's own store say of themselves. What crosses the door is `view.page_of`."""
