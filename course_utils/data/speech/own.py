"""Recordings of one's own with transcripts, in the shape of the synthetic utterances."""

from pathlib import Path

from course_utils.data.own import load_own
from course_utils.data.sounds import load_soundfile
from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.espeak import EspeakError
from course_utils.data.speech.features import FRAME_MS
from course_utils.data.speech.phonemes import PHONEMES
from course_utils.data.speech.recordings import read_recording
from course_utils.data.speech.utterances import SpokenUtterance
from course_utils.data.text import Vocabulary

LONGEST_SECONDS = 20


def own_recording_data(path: str) -> SpokenData:
    """Load a folder of recordings with transcripts; nobody knows the times of their phonemes.

    An `OwnDataError` as of `own.load_own`; a `RealDataNotFoundError` if the package that reads sound is missing.
    """
    load_soundfile()

    def recording(file: Path, transcript: str) -> SpokenUtterance:
        row = {"audio": {"bytes": file.read_bytes(), "path": file.name}, "text": transcript}
        try:
            found = read_recording(row, "the recording")
        except EspeakError as error:
            raise ValueError(str(error)) from error
        if len(found.features) * FRAME_MS > 1000 * LONGEST_SECONDS:
            raise ValueError(f"the recording is longer than {LONGEST_SECONDS} seconds")
        return found

    train, validation, test = load_own(path, "recordings", recording).values()
    return SpokenData(str(path), Vocabulary(PHONEMES), train, validation, {"test": test}, "your own")
