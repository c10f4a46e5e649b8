"""A forge: which repositories there are, who owns them, and when they were pushed to. GitHub is
one.

Everything a server says is checked before it is believed; its times are the only ones a student cannot set.
"""
