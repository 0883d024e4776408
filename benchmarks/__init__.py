"""Measurements of the engine on real servers."""
