"""A deep-learning course in Jupyter notebooks that grades itself."""
