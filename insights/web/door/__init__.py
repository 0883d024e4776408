"""How does somebody come in? By which name of the server, with which token, cookie, password or provider, and where they go then.

What crosses the door is `Door`, which the guard asks at each request and the pages of signing in use.
"""
