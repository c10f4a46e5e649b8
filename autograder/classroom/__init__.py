"""A course with its students, exams and record in hand."""
