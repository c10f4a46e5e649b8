"""The practice class: a small forge, students of every kind, and what each must get."""
