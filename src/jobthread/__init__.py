"""Jobthread: thread-based chat for companies that send people out to do jobs."""

__version__ = "0.1.0"
