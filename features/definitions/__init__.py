"""What churned means, and what a feature vector means, as frozen data.

It holds the churn definitions, the rules of what is rejected, and the local calendar. All other packages may import it; it imports none of them.
"""
