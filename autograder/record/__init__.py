"""What is kept and what follows from it: the ledger, standings, and nbgrader's gradebook."""
