"""Many submissions graded: on this machine, or as bundles on others; what comes back is checked."""
