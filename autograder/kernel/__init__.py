"""One conversation, both ends: the student's kernel in the jail, and what tests hold of it
outside.
"""
