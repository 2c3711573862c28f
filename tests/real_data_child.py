"""Loads real data in a process of its own, where `HF_ENDPOINT` is set before the libraries are imported.

Reads a request per line, `{"name": …, "split": …, "source": {fields to replace}}`, and answers with the rows or with
the error's class and message. Nobody waits between attempts.
"""

import json
import sys
import time
from dataclasses import replace

import datasets
import huggingface_hub

from course_utils.data import real
from course_utils.data.real_errors import RealDataError
from course_utils.data.real_sets import Hub

time.sleep = lambda seconds: None
datasets.disable_progress_bars()
huggingface_hub.utils.disable_progress_bars()
for line in sys.stdin:
    request = json.loads(line)
    name = request["name"]
    row = real.REAL_SOURCES[name]
    changes = request["source"] | ({"hub": Hub(*hub)} if (hub := request["source"].get("hub")) else {})
    real.REAL_SOURCES[name] = replace(row, **changes)
    try:
        answer = {"rows": real.load_real(name, request["split"]).to_list()}
    except RealDataError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    real.REAL_SOURCES[name] = row
    print(json.dumps(answer, default=repr), flush=True)
