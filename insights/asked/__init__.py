"""What is the answer to a question about the crowd, without computing it here? Analyses run in bounded processes beside ours, and what they found is kept.

`asked.Asked.ask` takes the name of an analysis and its parameters; an `Answer` with a `Found` (`insights.analyses.plain`), or with words that say why not, goes out.
"""
