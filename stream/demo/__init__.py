"""The engine on a made-up product.

Servers in this process or on this machine, events with known leavers, and how many were caught.
"""
