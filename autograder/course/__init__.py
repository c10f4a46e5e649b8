"""What a course is: its configuration, exams, people and files, and the errors a person sees."""
