"""Are the watched numbers within bounds, and who is told if not? Asks the analyses, keeps what `insights.watches` judges, and tells it by mail and on a topic."""
