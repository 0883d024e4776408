"""Moves a store's schema forward, step by step: `versions` holds the steps, and no step is changed once it has been released."""
