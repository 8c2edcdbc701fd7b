"""A session's actions for programs: over HTTP beside the page, and as tools of agents (MCP).

Both are drawn from the table of actions. Knows nothing about the page, nor about how work is done:
what is asked for is put into the session's queue, and read from the session when it is done.
"""
