"""What the crowd does, and the page that shows it. Reads what the engine has said, in Redis and in topics, and never stands in a worker's way."""
