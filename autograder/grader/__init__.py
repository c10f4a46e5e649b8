"""One submission tried and judged: the kernel's trusted end, the hidden tests, the verdict, and
many at once.
"""
