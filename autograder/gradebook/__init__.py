"""Everything that works with nbgrader: its gradebook, its formgrader, its notebooks."""
