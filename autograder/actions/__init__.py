"""The pipeline cut between machines that trust one another differently."""
