"""The line and the people who serve it.

The law is in ``states`` and ``presence``; ``lua/`` carries its moves out on Redis; ``line`` and
``roster`` are the verbs over those scripts; ``journal`` is what happened, in order.
"""
