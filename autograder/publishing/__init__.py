"""From a source notebook to the public course repository, and the proof that nothing leaks."""
