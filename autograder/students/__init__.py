"""What students run in their clone of the course."""
