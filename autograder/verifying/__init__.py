"""The record checked against itself and against everything that was made from it."""
