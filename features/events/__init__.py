"""What an event is, and why a record is rejected.

Payload bytes come in; columns of good events and the reasons of rejects go out.
"""
