"""The test of the tests: known answers and mutants graded as a student's would be."""
