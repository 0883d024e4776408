"""How the history follows the clicks: `churnwatch history run`, a process that writes, merges, derives and tidies.

Records of Kafka come in; commits of `insights.history` and metrics go out.
"""
