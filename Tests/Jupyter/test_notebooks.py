"""Notebooks of the shipped sessions under nbclient, nbval and papermill.

BACKFLOW names the program. Every session but the long ones is exported, run by nbclient, and what it gave is
compared with the record by the rules of `backflow replay`.
"""

import os
import pathlib
import re
import subprocess

import nbclient
import nbformat
import papermill
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["BACKFLOW"]
SESSIONS = sorted(
    path for path in (ROOT / "sessions").rglob("*.session") if "long" not in path.parts
)


def backflow(*arguments, cwd):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


def exported(session, folder):
    page = folder / f"{session.stem}.ipynb"
    ending = backflow("export", session, "--notebook", page, "--replace", cwd=folder)
    assert ending.returncode == 0, ending.stderr
    return page


def text(cell):
    """What a replay reads of a cell: its streams, and the plain form of its displays."""
    parts = []
    for output in cell.outputs:
        if output.get("metadata", {}).get("backflow", {}).get("recorded") is False:
            continue
        value = output.text if output.output_type == "stream" else output.data["text/plain"]
        parts.append(value.rstrip("\n"))
    return "\n".join(part for part in parts if part)


def ledger(path):
    """The hashes of a session; None where no line changed a tensor."""
    return path.read_text() if path.exists() else None


def ledger_at_prompt(lines, folder):
    """The ledger that the same lines leave when they are typed."""
    folder.mkdir()
    ending = subprocess.run(
        [PROGRAM], cwd=folder, input="\n".join([*lines, "session save cells", "quit", ""]),
        capture_output=True, text=True,
    )
    assert ending.returncode == 0, ending.stderr[-2000:]
    return ledger(folder / "out/standard-input/cells.ledger")


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_runs_as_it_is_and_gives_the_record(session, tmp_path):
    page = exported(session, tmp_path)
    notebook = nbformat.read(page, as_version=4)
    nbformat.validate(notebook)
    lines = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells.append(nbformat.v4.new_code_cell("session save cells"))
    nbclient.NotebookClient(
        notebook, kernel_name="backflow", timeout=1800, resources={"metadata": {"path": tmp_path}}
    ).execute()
    notebook.cells.pop()
    nbformat.write(notebook, tmp_path / "run.ipynb")
    assert ledger(tmp_path / "cells.ledger") == ledger_at_prompt(lines, tmp_path / "prompt")
    # The notebook that ran holds what replays, to the digit of the machine where it ran.
    ending = backflow("replay", "run.ipynb", cwd=tmp_path)
    assert ending.returncode == 0, ending.stdout[-3000:]
    # Its outputs are those of the record where the record was made with this build.
    replay = backflow("replay", page, cwd=tmp_path)
    assert replay.returncode == 0, replay.stdout[-3000:]
    assert replay.stdout.splitlines()[-1].endswith(" 0 differ")


def test_nbval_agrees_with_a_notebook_that_ran(tmp_path):
    page = exported(ROOT / "sessions/course/02-convolution-by-hand.session", tmp_path)
    notebook = nbformat.read(page, as_version=4)
    resources = {"metadata": {"path": tmp_path}}
    nbclient.NotebookClient(notebook, kernel_name="backflow", resources=resources).execute()
    nbformat.write(notebook, page)
    ending = subprocess.run(
        ["python", "-m", "pytest", "--nbval", "-p", "no:cacheprovider", page.name],
        cwd=tmp_path, capture_output=True, text=True,
    )
    assert ending.returncode == 0, ending.stdout[-3000:]


class Translator(papermill.translators.Translator):
    """Parameters as `let` lines."""

    @classmethod
    def assign(cls, name, value):
        return f"let {name} = {value}"

    @classmethod
    def translate_str(cls, value):
        return "'" + str(value).replace("'", "'\"'\"'") + "'"

    @classmethod
    def comment(cls, text):
        return f"# {text}".strip()


def test_papermill_gives_a_parameter(tmp_path):
    papermill.translators.papermill_translators.register("backflow", Translator)
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("let sigma = 40HU", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("phantom size=32 slices=2\nnoise gaussian sigma=$sigma"),
        ],
        metadata={
            "kernelspec": {"name": "backflow", "display_name": "Backflow", "language": "backflow"}
        },
    )
    nbformat.write(notebook, tmp_path / "in.ipynb")
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), parameters={"sigma": "80HU"},
        cwd=str(tmp_path),
    )
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert "let sigma = '80HU'" in done.cells[1].source
    # The noise of 80 HU, not the 40 HU that the notebook names.
    noise = re.search(r"rmse ([0-9.]+) HU", text(done.cells[2]))
    assert 70 < float(noise[1]) < 90
