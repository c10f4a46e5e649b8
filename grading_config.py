"""The one configuration of the course, read by nbgrader and by `autograder` alike.

nbgrader finds it through nbgrader_config.py; every option of nbgrader may stand here. The options of the course
itself are `c.Course.…`; a misspelt or impossible one stops every command with a sentence that says what is wrong.
"""

c = get_config()  # noqa: F821

# ------------------------------------------------------------------ the course
c.Course.name = "Deep learning"
c.Course.timezone = "Europe/Budapest"

# What students fork and pull from. Its branch is the one that is graded in their forks.
c.Course.upstream = "https://github.com/qati/DeepLearningCourse"
c.Course.branch = "master"

# What is graded where nothing at its place holds an answer: with "anywhere" the answers found under another name, in
# another folder or on another branch; with "place" nothing, then students are told where those belong.
c.Course.find = "place"

# What a release has to stand: with "leaks" it is refused where it would give something away, and warned of the rest;
# with "strict" it also has to score nothing unsolved, and its source everything, without a cell that fails.
c.Course.proof = "strict"

# Deadlines are in the course's time zone; the minute named is the last one that counts.
# A notebook whose exercises fall due at different times has parts: patterns of exercise ids with a deadline each.
c.Course.assignments = {
    "hw01_numpy": {"title": "Arrays and matrices with NumPy", "deadline": "2027-02-27 23:59"},
    "hw02_linear_regression": {"title": "Linear regression", "deadline": "2027-03-06 23:59"},
    "hw03_neural_networks": {
        "title": "Neural networks",
        "parts": {
            "forward": {
                "exercises": ["one_hot", "initialize_weights", "softmax", "*_forward"],
                "deadline": "2027-03-06 23:59",
            },
            "backward": {
                "exercises": ["crossentropy", "*_backward", "nn_train_*"],
                "deadline": "2027-03-13 23:59",
            },
        },
    },
    "hw04_optimizers": {"title": "Optimizers", "deadline": "2027-03-20 23:59"},
}

# Who takes the course (student, remote, and if you like name, email, group) and who has more time
# (student, assignment, part, deadline). Neither file is ever published.
c.Course.roster = "roster.csv"
c.Course.extensions = "extensions.csv"

# Limits on one submission in the jail; see docs/security.md for what each one holds.
c.Course.limits = {"cell_seconds": 60, "seconds": 300, "memory_mb": 1024}

# ------------------------------------------------------------------ nbgrader
c.CourseDirectory.course_id = "deep-learning"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    ".pytest_cache",
    "mistakes.py",
    "alternatives.py",
    "shortcuts.py",  # known wrong and right answers: never released
    "leaderboard.py",  # what it measures with is nobody's to know
]
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"
c.ExecutePreprocessor.timeout = 120
