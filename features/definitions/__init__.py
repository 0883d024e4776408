"""What churned means, and what a feature vector means, as frozen data.

Definitions, the feature spec with its hash, the local calendar. Everybody may import it; it imports nothing of ours.
"""
