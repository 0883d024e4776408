"""When is a report due, who gets it, and did they? Schedules and deliveries; what a report says is `insights.web.report`'s."""
