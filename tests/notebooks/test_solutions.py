"""The source notebooks have the form the course promises: five cells an exercise, nothing stored, mistakes known."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checks import check, expect_close
from autograder.mistakes import load_variants

SOLUTIONS = Path(__file__).parents[2] / "solutions"
POINTS = {
    "hw01_numpy": 20,
    "hw02_linear_regression": 20,
    "hw03_neural_networks": 70,
    "hw04_optimizers": 30,
}

each_homework = pytest.mark.parametrize("name", POINTS)


def cells_of(name: Any) -> Any:
    return json.loads((SOLUTIONS / name / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def source(cell: Any) -> Any:
    return "".join(cell["source"])


def marks(cell: Any) -> Any:
    return cell["metadata"].get("nbgrader", {})


def graded_cells(name: Any) -> Any:
    return [
        cell for cell in cells_of(name) if marks(cell).get("grade") and not marks(cell)["solution"]
    ]


@each_homework
def test_points_add_up(name: Any) -> None:
    assert sum(marks(cell).get("points", 0) for cell in cells_of(name)) == POINTS[name]


@each_homework
def test_no_hidden_test_takes_a_name_of_the_notebooks_own(name: Any) -> None:
    """In one kernel, as nbgrader's, a later cell would find the test's object under it."""
    tests = [source(cell) for cell in graded_cells(name) if cell["cell_type"] == "code"]
    others = [
        source(cell)
        for cell in cells_of(name)
        if cell["cell_type"] == "code" and cell not in graded_cells(name)
    ]
    of_tests, of_others = (
        {made for text in sources for made in made_names(text)} for sources in (tests, others)
    )
    assert not of_tests & of_others


def made_names(text: Any) -> Any:
    """The names of a cell's top level, but for imports: what is imported is the same anywhere."""
    made = set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            made.add(statement.name)
        elif not isinstance(statement, ast.Import | ast.ImportFrom):
            stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            made |= {node.id for node in stored if isinstance(node.ctx, ast.Store)}
    return made


@each_homework
def test_an_exercise_is_five_cells(name: Any) -> None:
    cells = cells_of(name)
    for number, cell in enumerate(cells):
        exercise = marks(cell).get("grade_id", "")
        if cell not in graded_cells(name):
            continue
        task, solution, try_it, checks = cells[number - 4 : number]
        assert [marks(each).get("grade_id") for each in (task, solution, checks)] == [
            f"{exercise}_task",
            f"{exercise}_solution",
            f"{exercise}_checks",
        ]
        assert task["cell_type"] == "markdown" and "<details>" in source(task)
        assert source(solution).startswith(f"def {exercise}(") and '"""' in source(solution)
        assert try_it["metadata"]["tags"] == ["try-it"] and "with attempt():" in source(try_it)
        assert source(checks).count("@check") >= 2
        assert marks(task)["locked"] and marks(checks)["locked"] and marks(cell)["locked"]


def exercises_of(name: Any) -> Iterator[Any]:
    """Each exercise with its task and the source of its solution."""
    cells = {marks(cell).get("grade_id"): source(cell) for cell in cells_of(name)}
    for exercise in cells:
        if exercise and f"{exercise}_task" in cells:
            yield (
                exercise,
                cells[f"{exercise}_task"],
                cells.get(f"{exercise}_solution", cells[exercise]),
            )


HELP = re.compile(r"<details><summary>Help \d: .+?</summary>\n\n(.+?)\n\n</details>", re.S)


@each_homework
def test_help_comes_in_two_steps_a_question_first(name: Any) -> None:
    for exercise, task, _ in exercises_of(name):
        steps = HELP.findall(task)
        assert len(steps) == 2 == task.count("<details>"), exercise
        assert "?" in steps[0], exercise
        assert "Help 1: a question" in task and "Help 2: where to look" in task


@each_homework
def test_help_is_not_the_answer(name: Any) -> None:
    """No expression with an operator or an argument that a solution is made of stands in its help."""
    for exercise, task, solution in exercises_of(name):
        written = {
            ast.dump(node) for node in ast.walk(ast.parse(solution)) if isinstance(node, ast.expr)
        }
        for step in HELP.findall(task):
            for span in re.findall(r"`([^`]+)`", step):
                assert not any(ast.dump(node) in written for node in computations(span)), (
                    exercise,
                    span,
                )


def computations(text: Any) -> Any:
    """The calls with arguments, products, slices and so on of a piece of code; none where it is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    kinds = (ast.BinOp, ast.Compare, ast.Subscript, ast.DictComp, ast.ListComp)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds) or (isinstance(node, ast.Call) and node.args)
    ]


@each_homework
def test_it_has_something_to_think_about_and_a_stretch_goal_without_points(name: Any) -> None:
    cells = cells_of(name)
    prose = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    assert len(re.findall(r"^### Think: .+ \(no points\)$", prose, re.M)) == 1
    assert len(re.findall(r"^##+ (?:\d\. )?Stretch: .+ \(no points\)$", prose, re.M)) == 1
    assert "**Two speeds:** in 20 minutes" in source(cells[0])


GUESS = re.compile(r"^predictions\[\"([^\"]+)\"\] = \.\.\.  # .+", flags=re.M)


@each_homework
def test_every_prediction_that_is_asked_for_is_compared_further_down(name: Any) -> None:
    code = [source(cell) for cell in cells_of(name) if cell["cell_type"] == "code"]
    asked = [(place, guess) for place, text in enumerate(code) for guess in GUESS.findall(text)]
    assert len(asked) >= 2
    for place, guess in asked:
        if guess.startswith("read right with "):
            assert any(
                'predictions.compare("read right with " + name' in text
                for text in code[place + 1 :]
            )
        else:
            assert any(f'predictions.compare("{guess}", ' in text for text in code[place + 1 :]), (
                guess
            )
    assert code[-1] == "predictions.review()"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "hw01_numpy",
            [
                "`np.power`",
                "`np.exp`",
                "`np.log`",
                "element by element",
                "**Leave it in\n`assignments/`**",
            ],
        ),
        ("hw01_numpy", ["git add assignments", "git pull upstream master", "autograder update"]),
        (
            "hw02_linear_regression",
            [r"\frac{1}{M} (Z - Y) \cdot X^T", "every example is a *column*", "autograder update"],
        ),
        ("hw03_neural_networks", ["stays in `assignments/`", "git pull upstream master"]),
        ("hw04_optimizers", ["stays in `assignments/`"]),
    ],
)
def test_what_the_lecture_says_of_homework_stands_where_a_student_meets_it(
    name: str, words: list[str]
) -> None:
    prose = "\n".join(source(cell) for cell in cells_of(name) if cell["cell_type"] == "markdown")
    for each in words:
        assert each in prose


def test_the_course_to_pull_from_is_that_of_the_configuration() -> None:
    config = (SOLUTIONS.parent / "grading_config.py").read_text(encoding="utf-8")
    (address,) = re.findall(r'c\.Course\.upstream = "(.+)"', config)
    (branch,) = re.findall(r'c\.Course\.branch = "(.+)"', config)
    last = source(cells_of("hw01_numpy")[-1])
    assert f"git remote add upstream {address} " in last and f"git pull upstream {branch}\n" in last


@each_homework
def test_the_task_tells_the_points(name: Any) -> None:
    for cell in cells_of(name):
        if marks(cell).get("points"):
            exercise, points = marks(cell)["grade_id"], marks(cell)["points"]
            (task,) = (
                other
                for other in cells_of(name)
                if marks(other).get("grade_id") == f"{exercise}_task"
            )
            assert re.search(rf"^### Exercise: .*\({points} points?\b", source(task), re.M), (
                exercise
            )


@each_homework
def test_solutions_stand_between_their_markers(name: Any) -> None:
    for cell in cells_of(name):
        if not marks(cell).get("solution"):
            continue
        before, inside = source(cell).split("### BEGIN SOLUTION")
        assert (
            inside.count("### END SOLUTION") == 1
            and not inside.split("### END SOLUTION")[1].strip()
        )
        assert "return" not in re.sub(r'""".*?"""', "", before, flags=re.S)


@each_homework
def test_hidden_tests_are_hidden_and_end_with_the_score(name: Any) -> None:
    for cell in graded_cells(name):
        visible, hidden = source(cell).split("### BEGIN HIDDEN TESTS\n")
        assert visible.startswith("# Hidden tests of") and visible.count("\n") == 1
        assert hidden.endswith("\nmarking.score()\n### END HIDDEN TESTS")


@each_homework
def test_nothing_is_stored_and_every_cell_has_its_id(name: Any) -> None:
    cells = cells_of(name)
    assert max(Counter(cell["id"] for cell in cells).values()) == 1
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


@each_homework
def test_frame_of_the_notebook(name: Any) -> None:
    first, imports = cells_of(name)[:2]
    text = source(first)
    assert (
        text.startswith("# Homework ")
        and "**Aim.**" in text
        and "minutes" in text
        and "| symbol | shape |" in text
    )
    assert text.split("After this notebook you can")[1].split("| symbol")[0].count("\n- ") == 3
    assert "rng = np.random.default_rng(0)" in source(imports)
    recap = source(cells_of(name)[-1]).split("## Recap")[1]
    assert recap.count("\n- ") == 3
    assert sum("Predict" in source(cell) for cell in cells_of(name)) >= 2


@each_homework
def test_every_exercise_has_five_mistakes_and_three_alternatives(name: Any) -> None:
    exercises = {marks(cell)["grade_id"] for cell in graded_cells(name)}
    for kind, least in (("mistakes", 5), ("alternatives", 3)):
        variants = load_variants(
            (SOLUTIONS / name / f"{kind}.py").read_text(encoding="utf-8"), kind
        )
        count = Counter(variant.of for variant in variants)
        assert count.keys() == exercises
        assert min(count.values()) >= least
        assert all(variant.hint.endswith(".") for variant in variants) or kind == "alternatives"


LOSSES = list(
    load_variants(
        (SOLUTIONS / "hw02_linear_regression" / "mistakes.py").read_text(encoding="utf-8"), "m"
    )
)


@pytest.mark.parametrize(
    "mistake", [each for each in LOSSES if each.of == "linreg_loss"], ids=lambda each: each.name
)
def test_the_worked_loss_is_no_other_convention(mistake: Any) -> None:
    (checks,) = (
        cell
        for cell in cells_of("hw02_linear_regression")
        if marks(cell).get("grade_id") == "linreg_loss_checks"
    )
    namespace = {
        "np": np,
        "check": check,
        "expect_close": expect_close,
        "linreg_loss": mistake.function,
    }
    exec(source(checks), namespace)
    passed = namespace["loss_of_the_worked_case"].status == "passed"
    assert passed == (
        mistake.name == "loss_in_place"
    )  # which is right, but for what it does to its argument
