"""Attacks on the jail, each a cell of a notebook, by what they are after."""
