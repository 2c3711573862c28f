"""Import every module of the learner's package: a quick test of an environment."""

import importlib
import pkgutil

import course_utils

if __name__ == "__main__":
    names = [item.name for item in pkgutil.walk_packages(course_utils.__path__, "course_utils.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    print(f"{len(names)} modules imported.")
