"""A notebook in JupyterLab, in a headless Chromium, as a person uses it.

Screenshots go to .build/jupyter-screens. Skipped where there is no Chromium.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

import nbformat
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCREENS = pathlib.Path(os.environ.get("SCREENS", ROOT / ".build/jupyter-screens"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")

CELLS = [
    "phantom size=64 slices=4\nnoise gaussian sigma=40HU\nview noisy[1]",
    "block channels=8 convs=2\nblock channels=8 convs=2\nconv\nnet show",
    "train epochs=100000 batch=1",
    "continue steps=5",
    "plot loss\nstats denoised[1]",
    "forward noisy[1]\nstep 3\nwhere",
    "view cleen[1]",
    "history",
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(params=["light", "dark"])
def lab(request, tmp_path):
    """The address of a JupyterLab with one notebook, and the theme's name."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in CELLS],
        metadata={"kernelspec": {"name": "backflow", "display_name": "Backflow", "language": "backflow"}},
    )
    (tmp_path / "files").mkdir()
    nbformat.write(notebook, tmp_path / "files/lesson.ipynb")
    settings = tmp_path / "settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    theme = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[request.param]
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    port = free_port()
    server = subprocess.Popen(
        ["jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0",
         "--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path / 'files'}"],
        env=os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
                          "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        yield address, request.param
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_trains_with_live_progress_is_interrupted_goes_on_and_restarts(lab):
    address, theme = lab
    SCREENS.mkdir(parents=True, exist_ok=True)
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 760})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/lab/tree/lesson.ipynb")
        cells = page.locator(".jp-Notebook .jp-CodeCell")
        cells.nth(len(CELLS) - 1).wait_for(state="attached")
        # The file browser is not what this is about.
        page.locator(".jp-SideBar .lm-TabBar-tab[data-id=filebrowser]").click()

        def output(index):
            return cells.nth(index).locator(".jp-OutputArea")

        def run(index):
            cells.nth(index).locator(".cm-content").click()
            page.keyboard.press("Shift+Enter")

        def shot(name):
            page.screenshot(path=SCREENS / f"{name}-{theme}.png")

        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
        run(0)
        output(0).locator("img").wait_for()
        run(1)
        output(1).locator("table").wait_for()

        run(2)
        bar = output(2).locator("progress")
        bar.wait_for()
        first = float(bar.get_attribute("value"))
        output(2).locator("svg polyline").wait_for()
        for _ in range(100):
            if float(bar.get_attribute("value")) > first:
                break
            page.wait_for_timeout(100)
        assert float(bar.get_attribute("value")) > first
        assert output(2).locator("progress").count() == 1, "one display is drawn anew"
        shot("training")

        page.locator("[data-command='notebook:interrupt-kernel']").first.click()
        output(2).get_by_text("stopped after step").first.wait_for()
        assert output(2).locator("progress").count() == 0, "the final line takes the place of the progress"
        shot("interrupted")

        run(3)
        output(3).get_by_text("psnr").first.wait_for()
        run(4)
        output(4).locator("svg, img").first.wait_for()
        shot("plot")
        run(5)
        output(5).locator("svg").first.wait_for()
        cells.nth(5).scroll_into_view_if_needed()
        shot("where")
        run(6)
        output(6).get_by_text("did you mean").first.wait_for()
        cells.nth(6).scroll_into_view_if_needed()
        shot("error")

        page.locator("[data-command='notebook:restart-kernel']").first.click()
        page.locator(".jp-Dialog .jp-mod-accept").click()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
        run(7)
        page.wait_for_timeout(500)
        cells.nth(7).locator(".jp-InputPrompt").get_by_text("[1]:").wait_for()
        browser.close()
