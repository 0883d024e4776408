"""What programs ask for, under /api/v1: the same figures as the pages, as JSON. What crosses the door is one router."""
