"""Speech: events, boundaries, features against slow references, disjoint splits, cache, life without a synthesizer."""

import hashlib
import math
import os
import signal
import subprocess
import sys
import warnings
from itertools import pairwise
from random import Random

import numpy as np
import pytest
import torch

from course_utils.data.speech import cached as spoken_cache
from course_utils.data.speech import espeak, utterances
from course_utils.data.speech.cached import SMALL_COUNTS, SMALL_SET, small_set, spoken_path, spoken_utterances
from course_utils.data.speech.data import SpokenData, count_steps, gold_overlap, join_utterances, spoken_data
from course_utils.data.speech.espeak import EspeakError, Event, espeak_problem, speak
from course_utils.data.speech.features import MELS, SAMPLE_RATE, log_mel, mel_filters, stack_frames
from course_utils.data.speech.phonemes import IPA, PHONEMES, Phoneme, phonemes_of_events
from course_utils.data.text import BEGIN, END, Vocabulary

torch.set_num_threads(1)
needs_espeak = pytest.mark.skipif(bool(espeak_problem()), reason=f"no synthesizer here: {espeak_problem()}")
VOCABULARY = Vocabulary(PHONEMES)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def spoken():
    if espeak_problem():
        pytest.skip("no synthesizer here")
    return [utterances.speak_utterance(u) for u in utterances.sample_utterances(60)]


def data_of(spoken):
    return SpokenData("some", VOCABULARY, spoken, [], {}, "")


# The synthesizer


@needs_espeak
def test_every_voice_speaks_differently_and_its_events_are_in_order_and_inside():
    voices = utterances.TRAINING_SPEAKERS + utterances.UNSEEN_SPEAKERS
    said = {voice: speak("steamy llama", voice=voice) for voice in voices}
    for voice, speech in said.items():
        times = [event.start_ms for event in speech.events]
        assert times == sorted(times) and times[0] >= 0, voice
        assert times[-1] <= 1000 * len(speech.samples) / speech.rate, voice
        assert [p.symbol for p in phonemes_of_events(speech.events)][:4] == ["S", "T", "IY", "M"], voice
    assert len({speech.samples.tobytes() for speech in said.values()}) == len(voices)


@needs_espeak
def test_speed_is_heard_and_what_was_said_before_changes_nothing():
    first = speak("steamy llama", voice="en-gb+f1")
    slow, quick = (speak("a small dog", words_per_minute=rate, pitch=90) for rate in (120, 240))
    assert slow.events[-1].start_ms > 1.4 * quick.events[-1].start_ms
    again = speak("steamy llama", voice="en-gb+f1")
    assert np.array_equal(first.samples, again.samples) and first.events == again.events


@needs_espeak
@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [("hello", {"voice": "xx-nowhere"}, EspeakError, "'xx-nowhere'"), ("  ", {}, ValueError, "at least one word"),
     ("hello", {"words_per_minute": 1000}, ValueError, "words_per_minute is 1000"),
     ("...", {}, EspeakError, "said nothing")],
)  # fmt: skip
def test_errors_of_the_synthesizer(text, options, error, message):
    with pytest.raises(error, match=message):
        speak(text, **options)


def test_a_missing_package_and_a_broken_library_have_different_errors(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(EspeakError, match="import of espeakng_loader.*pip install espeakng-loader"):
        speak("hello")

    class Broken:
        get_library_path = staticmethod(lambda: str(tmp_path / "broken.so"))
        get_data_path = staticmethod(lambda: str(tmp_path))

    (tmp_path / "broken.so").write_bytes(b"no library")
    monkeypatch.setitem(sys.modules, "espeakng_loader", Broken)
    with pytest.raises(EspeakError, match="cannot be loaded here .*broken.so"):
        speak("hello")


@needs_espeak
def test_an_installation_with_a_long_path_speaks(monkeypatch, tmp_path):
    import espeakng_loader

    deep = tmp_path / ("a" * 90) / ("b" * 90)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(espeakng_loader.get_data_path())
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(deep / "espeak-ng-data"))
    assert len(os.fsencode(espeakng_loader.get_data_path())) > espeak._LONGEST_PATH
    assert speak("hello").events


# Phonemes


def test_the_inventory():
    assert len(PHONEMES) == len(set(IPA.values())) == 39
    events = [Event(ipa, 10 * index) for index, ipa in enumerate((*IPA.values(), "ɒ", ""))]
    assert tuple(phoneme.symbol for phoneme in phonemes_of_events(events)) == (*PHONEMES, "AA")
    with pytest.raises(ValueError, match="'ʘ'"):
        phonemes_of_events([Event("ʘ", 0), Event("", 9)])


def test_events_become_intervals():
    events = [Event("l", 0), Event("ɪ", 100), Event("", 180), Event("t", 200), Event("əl", 240), Event("", 300)]
    assert phonemes_of_events([*events, Event("", 310)]) == (
        Phoneme("L", 0, 100), Phoneme("IH", 100, 180), Phoneme("T", 200, 240), Phoneme("AH", 240, 270),
        Phoneme("L", 270, 300),
    )  # fmt: skip
    # An r without time of its own shares the vowel's; a colouring mark lengthens what stands before it.
    assert phonemes_of_events([Event("o", 0), Event("r", 80), Event("s", 80), Event("", 100)]) == (
        Phoneme("AO", 0, 40), Phoneme("R", 40, 80), Phoneme("S", 80, 100),
    )  # fmt: skip
    assert phonemes_of_events([Event("i", 0), Event("ʲ", 30), Event("", 50)]) == (Phoneme("IY", 0, 50),)
    with pytest.raises(ValueError, match="back in time"):
        phonemes_of_events([Event("s", 50), Event("t", 20), Event("", 90)])


# Features


def test_mel_filters_against_a_slow_reference():
    filters = mel_filters()
    low, high = 2595 * math.log10(1 + 60 / 700), 2595 * math.log10(1 + 3800 / 700)
    corners = [700 * (10 ** ((low + k * (high - low) / 41) / 2595) - 1) for k in range(42)]
    for band in range(MELS):
        left, centre, right = corners[band : band + 3]
        row = [((hertz - left) / (centre - left) if hertz <= centre else (right - hertz) / (right - centre))
               * (left < hertz < right) for hertz in (line * 8000 / 256 for line in range(129))]  # fmt: skip
        assert filters[band] == pytest.approx(row, abs=1e-9) if sum(row) > 0 else filters[band].sum() == 1


BAND_CENTRES = (mel_filters() * np.linspace(0, SAMPLE_RATE / 2, 129)).sum(1) / mel_filters().sum(1)  # Hz


@pytest.mark.parametrize("hertz", [300, 1000, 2500])
def test_a_tone_is_loudest_in_its_band_and_in_its_time(hertz):
    time = np.arange(8000) / SAMPLE_RATE
    features = log_mel(0.3 * np.sin(2 * np.pi * hertz * time) * (time >= 0.5))
    assert features.shape == (100, MELS)
    assert abs(features[55:].mean(0).argmax() - np.abs(BAND_CENTRES - hertz).argmin()) <= 1
    loud = features.max(1)
    assert loud[:48].max() < loud[52:].min() - 5, "frame i stands for 10 i to 10 (i + 1) ms"


def test_framing_and_stacking():
    assert [len(log_mel(np.zeros(n))) for n in (1, 80, 81, 8000)] == [1, 1, 2, 100]
    stacked = stack_frames(np.arange(10, dtype=np.float32).reshape(5, 2))
    assert stacked.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 8, 9, 8, 9, 8, 9]]
    with pytest.raises(ValueError, match="one channel"):
        log_mel(np.zeros((10, 2)))
    assert len(utterances.to_sample_rate(np.ones(22050), 22050)) == 8000


# Words and splits


def test_words_are_many_speakable_and_split_by_family():
    words = utterances.word_list()
    assert len(words) > 3000 and len(set(words)) == len(words)
    families = {
        split: {w[: utterances.FAMILY_LETTERS] for w in utterances.words_of_split(split)}
        for split in ("train", "validation", "test")
    }
    assert not families["train"] & families["test"] and not families["train"] & families["validation"]
    assert len(utterances.words_of_split("test")) > 300 and len(utterances.words_of_split("validation")) > 200
    made = [utterances.made_up_word(Random(k)) for k in range(300)]
    assert len(set(made)) > 280 and not set(made) & set(words)
    assert all(utterances.split_of_word(word) == "train" for word in made)


def test_splits_share_no_words_phrases_or_speakers():
    sampled = {split: utterances.sample_utterances(400, split=split) for split in utterances.SPLITS}
    words = {split: {word for u in sampled[split] for word in u.words} for split in utterances.SPLITS}
    for split in ("validation", "test", "unseen speakers"):
        assert not words[split] & (words["train"] | words["unseen phrases"])
    assert not words["validation"] & words["test"]
    phrases = {
        split: {tuple(sorted(u.words)) for u in sampled[split] if len(u.words) > 1} for split in utterances.SPLITS
    }
    assert not phrases["unseen phrases"] & phrases["train"] and len(phrases["unseen phrases"]) > 300
    assert all(utterances.phrase_is_held_out(u.words) for u in sampled["unseen phrases"])
    assert words["unseen phrases"] <= set(utterances.words_of_split("train"))
    speakers = {split: {u.speaker for u in sampled[split]} for split in utterances.SPLITS}
    assert speakers["unseen speakers"] == set(utterances.UNSEEN_SPEAKERS) and speakers["train"] == speakers[
        "test"
    ] == set(utterances.TRAINING_SPEAKERS)
    assert (
        not set(utterances.UNSEEN_SPEAKERS) & set(utterances.TRAINING_SPEAKERS)
        and len(utterances.TRAINING_SPEAKERS) >= 10
    )


def test_sampling_is_repeatable_and_varied():
    sampled = utterances.sample_utterances(100)
    assert sampled[:10] == utterances.sample_utterances(10) and sampled[:10] != utterances.sample_utterances(10, seed=1)
    assert max(u.words_per_minute for u in sampled) - min(u.words_per_minute for u in sampled) > 50
    assert max(u.noise_db for u in sampled) - min(u.noise_db for u in sampled) > 15
    made_up = [w not in utterances.word_list() for u in sampled for w in u.words]
    assert 0.3 < sum(made_up) / len(made_up) < 0.5
    with pytest.raises(ValueError, match="'dev'"):
        utterances.sample_utterances(1, split="dev")


# Utterances


def test_phonemes_lie_inside_the_utterance(spoken):
    for one in spoken:
        edges = [edge for p in one.phonemes for edge in (p.start_ms, p.end_ms)]
        assert edges == sorted(edges) and edges[0] >= one.utterance.lead_ms
        assert edges[-1] <= 10 * len(one.features) and min(np.diff(edges)[::2]) > 0
        assert one.features.dtype == np.float16 and np.isfinite(one.features).all()


@needs_espeak
def test_boundaries_agree_with_the_energy():
    """Vowels are loud; before the burst of a stop the mouth is closed; the lead is silent."""
    quiet, loud, lead = [], [], []
    for speaker in utterances.TRAINING_SPEAKERS[:6]:
        utterance = utterances.Utterance(("attack", "opaque", "account"), speaker, noise_db=60.0, lead_ms=100)
        power = utterances.waveform(utterance) ** 2

        def level(start, end, power=power):
            return 10 * math.log10(np.mean(power[int(8 * start) : int(8 * end)]) + 1e-12)

        phonemes = utterances.speak_utterance(utterance).phonemes
        lead.append(level(0, 90))
        middles = [(p.start_ms + p.end_ms) / 2 for p in phonemes if p.symbol in ("AE", "EY", "AW")]
        loud += [level(middle - 20, middle + 20) for middle in middles]
        for before, after in pairwise(phonemes):
            if after.symbol in ("T", "K", "P"):
                quiet.append(min(level(t, t + 10) for t in np.arange(before.end_ms - 30, after.end_ms - 10, 5)))
    assert np.median(loud) > np.median(quiet) + 15
    assert max(lead) < min(loud) - 30


@needs_espeak
def test_speaking_again_gives_the_very_same_sound_in_another_process():
    code = """
import hashlib
from course_utils.data.speech.utterances import sample_utterances, waveform
print(hashlib.sha256(waveform(sample_utterances(3, split="test")[2]).tobytes()).hexdigest())
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "5"}
    answer = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    sound = utterances.waveform(utterances.sample_utterances(3, split="test")[2])
    assert answer.strip() == hashlib.sha256(sound.tobytes()).hexdigest()


# Batches, gold, joins


def test_batches(spoken):
    data = data_of(spoken)
    (batch,) = data.ordered_batches(spoken[:5])
    assert batch.features.shape == (5, max(map(count_steps, spoken[:5])), 160)
    assert batch.feature_mask.sum(1).tolist() == [count_steps(one) for one in spoken[:5]]
    assert not batch.features[~batch.feature_mask].any()
    for row, one in enumerate(spoken[:5]):
        real = batch.target_output[row][batch.target_mask[row]].tolist()
        assert real == [*VOCABULARY.encode(one.symbols), END] and batch.target_input[row, 0] == BEGIN
    seen = [s for b in data.batches(16, seed=1)(0) for s in b.feature_mask.sum(1).tolist()]
    assert sorted(seen) == sorted(map(count_steps, spoken))
    limited = list(data.batches(16, seed=1, maximum_tokens=100)(0))
    assert all(b.feature_mask.sum() <= 100 or len(b) == 1 for b in limited)


def test_every_second_batch_may_be_of_joined_utterances(spoken):
    plain, joined = (list(data_of(spoken).batches(8, seed=1, join=join)(0)) for join in (1, 2))
    assert len(plain) == len(joined) > 3
    for number, (alone, paired) in enumerate(zip(plain, joined, strict=True)):
        if number % 2 == 0:
            assert all(torch.equal(a, b) for a, b in zip(vars(alone).values(), vars(paired).values(), strict=True))
        else:
            assert len(paired.features) == -(-len(alone.features) // 2)
            ends = paired.target_mask.sum() - alone.target_mask.sum()
            assert ends == len(paired.features) - len(alone.features)  # one end symbol is left of two
    two = data_of(spoken[:4])
    _, paired = two.batches(2, seed=0, join=2)(0)
    pairs = [join_utterances([one, other]) for one in spoken[:4] for other in spoken[:4] if one is not other]
    assert any(torch.equal(paired.features, batch.features) for batch in two.ordered_batches(pairs, 1))


def test_gold_overlap_and_joined_utterances(spoken):
    overlap = gold_overlap([Phoneme("S", 0, 30), Phoneme("T", 30, 100)], 3)
    assert overlap.numpy() == pytest.approx(np.array([[0.75, 0, 0], [0.25, 1, 0.5]]))
    joined = join_utterances(spoken[:3])
    assert joined.symbols == tuple(s for one in spoken[:3] for s in one.symbols)
    shift = 10 * len(spoken[0].features)
    assert joined.phonemes[len(spoken[0].phonemes)].start_ms == spoken[1].phonemes[0].start_ms + shift
    assert len(joined.features) == sum(len(one.features) for one in spoken[:3])
    twice = join_utterances(spoken[:1] * 2)
    assert np.array_equal(twice.features[: len(twice.features) // 2], twice.features[len(twice.features) // 2 :])


# Cache and the small set

ARGUMENTS = {"count": 12, "split": "test", "seed": 3}


def same(first, second):
    return len(first) == len(second) and all(
        a.utterance == b.utterance
        and np.array_equal(a.features, b.features)
        and a.symbols == b.symbols
        and np.allclose([p[1:] for p in a.phonemes], [p[1:] for p in b.phonemes], atol=1e-3)
        for a, b in zip(first, second, strict=True)
    )


@needs_espeak
def test_the_cache_gives_back_what_was_spoken(cache, monkeypatch):
    fresh = spoken_utterances(**ARGUMENTS)
    assert [file.name for file in cache.iterdir()] == [spoken_path(**ARGUMENTS).name]
    monkeypatch.setattr(spoken_cache, "speak_utterance", lambda utterance: pytest.fail("spoken again"))
    assert same(spoken_utterances(**ARGUMENTS), fresh)
    monkeypatch.setattr(spoken_cache, "version", lambda package: "99")
    assert spoken_path(**ARGUMENTS).name not in os.listdir(cache), "new versions have another cache"


@needs_espeak
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other"])
def test_a_damaged_file_is_noticed_and_replaced(cache, damage):
    fresh, path, other = spoken_utterances(**ARGUMENTS), spoken_path(**ARGUMENTS), ARGUMENTS | {"count": 5}
    spoken_utterances(**other)
    whole = path.read_bytes()
    flipped = whole[:-3000] + bytes([whole[-3000] ^ 1]) + whole[-2999:]
    contents = {"truncated": whole[: len(whole) // 2], "flipped": flipped, "empty": b""}
    path.write_bytes(contents.get(damage, spoken_path(**other).read_bytes()))
    with pytest.warns(UserWarning, match="was damaged"):
        assert same(spoken_utterances(**ARGUMENTS), fresh)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(spoken_utterances(**ARGUMENTS), fresh)


@needs_espeak
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill at once")
def test_a_run_killed_while_writing_leaves_no_broken_cache(cache):
    code = f"""
import os, signal
from course_utils.data.speech.cached import spoken_utterances
whole = os.fdopen
class Half:
    def __init__(self, *arguments): self.file = whole(*arguments)
    def __enter__(self): return self
    def __exit__(self, *error): self.file.close()
    def write(self, content):
        self.file.write(content[: len(content) // 2]); self.file.flush(); os.kill(os.getpid(), signal.SIGKILL)
os.fdopen = Half
spoken_utterances(**{ARGUMENTS!r})
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "WHERE_TO_LOOK_CACHE": str(cache)}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    [half] = [path for path in cache.iterdir() if path.suffix != ".lock"]
    assert half.name.startswith(".") and half.stat().st_size > 10_000
    assert len(spoken_utterances(**ARGUMENTS)) == 12 and spoken_path(**ARGUMENTS).is_file()


@needs_espeak
def test_a_cache_that_cannot_be_written_is_said_and_survived(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="set WHERE_TO_LOOK_CACHE to a folder"):
        assert len(spoken_utterances(**ARGUMENTS)) == 12


def test_without_the_synthesizer_the_small_set_steps_in_and_says_so(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.warns(UserWarning, match="synthesizer is missing.*small prepared set"):
        data = spoken_data(1000, 100)
    assert len(data.train) == SMALL_COUNTS["train"] and len(data.test["test"]) == SMALL_COUNTS["test"]
    assert not list(cache.glob("*")), "the small set must not be kept as if it were the whole"
    assert next(data.batches(8, seed=0)(0)).features.isfinite().all()


def test_the_small_set(monkeypatch, tmp_path):
    assert SMALL_SET.stat().st_size < 1e6
    words = {split: {word for one in small_set(split) for word in one.utterance.words} for split in SMALL_COUNTS}
    assert all(len(small_set(split)) == count for split, count in SMALL_COUNTS.items())
    assert not words["train"] & (words["test"] | words["validation"] | words["unseen speakers"])
    assert {one.utterance.speaker for one in small_set("unseen speakers")} <= set(utterances.UNSEEN_SPEAKERS)
    with pytest.raises(ValueError, match="'dev'"):
        small_set("dev")
    for one in () if espeak_problem() else small_set("test")[:4]:
        fresh = utterances.speak_utterance(one.utterance)
        assert fresh.symbols == one.symbols and fresh.features.shape == one.features.shape
        assert np.abs(fresh.features.astype(np.float32) - one.features).max() < 0.05
    broken = tmp_path / "small.safetensors"
    broken.write_bytes(SMALL_SET.read_bytes()[:5000])
    monkeypatch.setattr(spoken_cache, "SMALL_SET", broken)
    with pytest.raises(FileNotFoundError, match="install the course again"):
        small_set("train")


def test_the_import_loads_only_what_every_lesson_needs():
    code = "import course_utils.data.speech.data, sys; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    heavy = {"soundfile", "espeakng_loader", "joblib", "sklearn", "pandas", "babel", "scipy", "datasets"}
    assert not loaded & heavy
    packages = {name.split(".")[2] for name in loaded if name.startswith("course_utils.data.")}
    assert not packages & {"phrases", "canvases", "scenes", "inference", "reports"}
