"""Can this machine grade, is this course set up."""
