"""What runs.

Worker and trainer as processes: checks before the start, signals, clock, watchdog, metrics, health.
"""
