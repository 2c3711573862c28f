"""How `make lab` starts JupyterLab: tools/lab.py names this folder. labconfig/ holds what the browser reads."""

from pathlib import Path

from ipykernel.ipkernel import IPythonKernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


class LessonFiles(AsyncLargeFileManager):
    """Files as they are, but a notebook says already what the kernel will say of itself.

    The lab writes the kernel's `language_info`, with Python's exact version, into every notebook that it opens. Where
    that differs from what was read, the notebook counts as modified before anything was done.
    """

    async def get(self, *arguments, **options) -> dict:
        """Read a file or a folder."""
        model = await super().get(*arguments, **options)
        if model["type"] == "notebook" and model["format"] == "json":
            model["content"]["metadata"]["language_info"] = dict(IPythonKernel.language_info)
        return model


c = get_config()  # noqa: F821  (the server provides it)

c.ServerApp.root_dir = str(NOTEBOOKS)
c.LabApp.default_url = "/lab/tree/00_start_here.ipynb"
c.ServerApp.contents_manager_class = LessonFiles
# Solutions: not in the list beside the lessons.
c.ContentsManager.hide_globs = ["instructor", "__pycache__", "*.pyc", ".DS_Store", "*~"]
# Tools of those who write and grade lessons: none of their buttons, even where they are installed.
GRADING = ("assignment_list", "course_list", "formgrader", "validate_assignment")
UNUSED = ["jupyterlab_jupytext", "notebook", *(f"nbgrader.server_extensions.{name}" for name in GRADING)]
c.ServerApp.jpserver_extensions = dict.fromkeys(UNUSED, False)
c.ServerApp.log_level = "WARN"
