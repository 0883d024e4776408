"""What was: alerts and what became of them, the risk stated at past landmarks, and how right it was. Read from the topics, kept in the page's store."""
