"""What was pushed: the roster, students' repositories, the forge's own word on when."""
