"""The one way git is run, and what is read and written through it: repositories, trees, stores,
credentials.
"""
