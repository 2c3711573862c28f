"""Recorded speech: one loader for all sets, in the shape of the synthetic speech, and what is made of it."""

import io
import os
import sys
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from pyarrow import parquet

from course_utils.data.real_errors import DataFormatError, RealDataNotFoundError
from course_utils.data.sounds import HIGHEST_RATE, read_sound
from course_utils.data.speech import phonemes, recorded_data, recordings
from course_utils.data.speech.cached import small_set
from course_utils.data.speech.data import SpokenData, gold_overlap, join_utterances
from course_utils.data.speech.espeak import EspeakError, Event, Speech, espeak_problem
from course_utils.data.speech.features import MELS, SAMPLE_RATE
from course_utils.data.speech.phonemes import DIGITS, PHONEMES, Phoneme, pronounce, words_of_text
from course_utils.data.speech.recorded_data import (
    digit_data,
    many_speakers_data,
    normalize_by_speaker,
    prompt_data,
    reading_data,
    speakers_of,
    synthetic_digits,
)
from course_utils.data.speech.recordings import (
    SPEEDS,
    add_noise,
    bend,
    load_recordings,
    make_recording,
    pieces_of,
    play_at,
    sound_of,
    training_versions,
)
from course_utils.data.speech.utterances import TRAINING_SPEAKERS, Utterance, to_sample_rate
from course_utils.data.text import Vocabulary
from course_utils.mechanisms.search import Hypothesis
from experiments import lesson_06_speech as lesson_06
from experiments import recorded_speech
from experiments import speech as experiments
from experiments.evaluate import named
from experiments.recorded_speech import (
    SPEAKERS,
    digit_metrics,
    digit_of,
    digits_right,
    prompt_metrics,
    prompt_pieces,
)
from experiments.speech import Recipe

soundfile = pytest.importorskip("soundfile", reason="the package soundfile, which reads recordings, is not installed")

STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA") or Path(__file__).resolve().parents[2] / "shared" / "datasets")

EXPERIMENT = lesson_06.EXPERIMENT
SMALL = (("hidden_size", 8), ("embedding_size", 4), ("attention_size", 6), ("layers", 1))


def staged(name):
    return pytest.mark.skipif(
        not (STAGED / name).is_dir(), reason=f"no staged {name}; set WHERE_TO_LOOK_DATA to a folder that has it"
    )


def tone(seconds, rate, hertz=440):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def encoded(samples, rate, form="FLAC", depth="PCM_16"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=depth)
    return file.getvalue()


def row(text, seconds=0.5, rate=16_000, **more):
    """A row with the columns of the hub's LibriSpeech."""
    audio = {"bytes": encoded(tone(seconds, rate), rate), "path": "61-70970-0000.flac"}
    facts = {"file": "61-70970-0000.flac", "audio": audio, "text": text, "speaker_id": 61, "chapter_id": 70970}
    return {**facts, "id": "61-70970-0000", **more}


def batch_of(*spoken):
    (batch,) = SpokenData("some", Vocabulary(PHONEMES), [], [], {}, "").ordered_batches(spoken)
    return batch


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """Write rows where a room without internet has them."""
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path))

    def put(name, rows, split="test"):
        write(tmp_path / name / "data" / f"{split}-00000-of-00001.parquet", rows)

    return put


SAID = {
    "hello": "HH AH L OW", "world": "W ER L D", "don't": "D OW N T", "say": "S EY", "two": "T UW",
}  # fmt: skip


@pytest.fixture(autouse=True)
def synthesizer(monkeypatch):
    """A synthesizer that knows a few words."""

    def speak(text, **how):
        if unknown := set(text.split()) - SAID.keys():
            raise EspeakError(f"{unknown} cannot be said")
        symbols = [symbol for word in text.split() for symbol in SAID[word].split()]
        events = [Event(phonemes.IPA[symbol], 50.0 * index) for index, symbol in enumerate(symbols)]
        return Speech(np.ones(400 * len(symbols), np.int16), 8000, (*events, Event("", 50.0 * len(symbols))))

    monkeypatch.setattr(phonemes, "speak", speak)


def test_texts_are_pronounced_without_case_and_punctuation():
    assert words_of_text("...DON’T say “Hello”!") == ("don't", "say", "hello")
    assert pronounce("HELLO, world.") == ("HH", "AH", "L", "OW", "W", "ER", "L", "D")
    assert pronounce("Two!") == DIGITS["two"] and pronounce("don't say two") == (
        "D",
        "OW",
        "N",
        "T",
        "S",
        "EY",
        "T",
        "UW",
    )
    assert {symbol for symbols in DIGITS.values() for symbol in symbols} <= set(PHONEMES)


@pytest.mark.skipif(bool(espeak_problem()), reason=f"no synthesizer here: {espeak_problem()}")
def test_a_transcript_is_pronounced_as_the_synthetic_voice_does(monkeypatch):
    monkeypatch.undo()
    long = "HE HOPED THERE WOULD BE STEW FOR DINNER TURNIPS AND CARROTS AND BRUISED POTATOES " * 4
    assert pronounce("hello world") == ("HH", "AH", "L", "OW", "W", "ER", "L", "D")
    assert len(pronounce(long)) == 4 * len(pronounce(long[: len(long) // 4])) > 200
    with pytest.raises(ValueError, match="at least one word"):
        pronounce("...")


def test_librispeech_columns_become_the_batches_of_synthetic_speech(stage):
    stage("librispeech", [row("HELLO WORLD", 0.83), row("DON'T", 0.5, rate=8000)])
    long, short = load_recordings("librispeech", "test")
    assert (long.utterance.speaker, long.utterance.words) == ("61", ("hello", "world"))
    assert long.symbols == pronounce("hello world") and long.phonemes == () and long.word_times == ()
    assert long.samples.shape == (round(0.83 * SAMPLE_RATE),) and short.samples.shape == (SAMPLE_RATE // 2,)
    assert long.features.shape == (-(-len(long.samples) // 80), MELS) and long.features.dtype == np.float16
    recorded, synthetic = batch_of(long, short), batch_of(*small_set("test")[:2])
    for ours, theirs in zip(vars(recorded).values(), vars(synthetic).values(), strict=True):
        assert (ours.dtype, ours.dim()) == (theirs.dtype, theirs.dim())
    assert recorded.features.shape[2] == synthetic.features.shape[2]
    assert recorded.target_mask.sum(dim=1).tolist() == [len(long.symbols) + 1, len(short.symbols) + 1]
    assert len(load_recordings("librispeech", "test", count=1)) == 1


def readings(split):
    """Rows of a tiny set with the hub's columns: three speakers in each split, and the last reading is long."""
    first = 10 * ("validation", "test").index(split)
    texts = ("HELLO WORLD", "DON'T SAY HELLO", "SAY HELLO HELLO WORLD")
    return [row(text, (0.6, 0.8, 10.5)[number], speaker_id=first + number) for number, text in enumerate(texts)]


def test_readings_of_librispeech_take_the_place_of_digits_and_prompts(stage, synthetic, monkeypatch):
    with pytest.raises(RealDataNotFoundError, match="in no staged folder.*--source librispeech"):
        EXPERIMENT.measure("synthetic", "real", 0, True)
    for split in ("validation", "test"):
        stage("librispeech", readings(split), split)
    data = reading_data(synthetic)
    assert speakers_of(data.train[len(synthetic.train) :]) == ("0", "1")  # the long one is left out
    assert speakers_of(data.test["readings"]) == ("10", "11") and speakers_of(data.test["long readings"]) == ("12",)
    assert data.test["readings"][0].symbols == pronounce("hello world") and "LibriSpeech" in data.credit
    assert sum(map(len, data.batches(4, seed=0)(0))) == len(data.train) == len(synthetic.train) + 2
    assert lesson_06.recorded_data_of("read-synthetic", synthetic).train == synthetic.train
    monkeypatch.setattr(lesson_06, "utterances_of", lambda *_: synthetic)
    monkeypatch.setattr(lesson_06, "READ", {part: replace(one, options=SMALL) for part, one in lesson_06.READ.items()})
    metrics = {}
    for part in EXPERIMENT.recipes("librispeech"):
        metrics |= EXPERIMENT.measure(part, "librispeech", 0, True)
    for claim in (claim for claim in EXPERIMENT.claims if "librispeech" in claim.sources):
        assert {claim.baseline[1], claim.ours[1]} <= set(metrics), claim.claim_id


def test_recordings_have_the_level_and_pitch_of_synthetic_speech(stage):
    stage("librispeech", [row("hello"), row("hello", rate=44_100)])
    for one in load_recordings("librispeech", "test"):
        sound = sound_of(one)
        assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.08, rel=0.02)
        spectrum = np.abs(np.fft.rfft(sound))
        assert spectrum.argmax() * SAMPLE_RATE / len(sound) == pytest.approx(440, abs=4)


def phone(symbol, start, end):
    return {"phone": symbol, "start": start, "end": end}


def timed_row():
    phones = [
        phone("SIL", 0, 0.04),
        *(phone(s, 0.04 + 0.1 * i, 0.14 + 0.1 * i) for i, s in enumerate(["HH", "EH", "L", "OW"])),
    ]
    phones += [phone(s, 0.44 + 0.1 * i, 0.54 + 0.1 * i) for i, s in enumerate(["W", "ER", "L", "D"])]
    words = [{"word": "hello", "start": 0.04, "end": 0.44}, {"word": "world", "start": 0.44, "end": 0.84}]
    return row("Hello world.", 0.9, words=words, phones=phones)


def test_times_are_taken_where_they_are_known_and_silence_is_no_phoneme(stage):
    untimed = row("world", 0.5, words=[], phones=[])
    stage("asterisk_prompts_en", [timed_row(), untimed])
    timed, other = load_recordings("asterisk_prompts_en", "test")
    assert timed.said == ("HH", "EH", "L", "OW", "W", "ER", "L", "D")  # as it was heard, not the dictionary's first
    assert timed.phonemes[0] == Phoneme("HH", 40, 140) and timed.phonemes[-1] == ("D", 740, 840)
    assert timed.word_times == (("hello", 40, 440), ("world", 440, 840))
    assert other.said == ("W", "ER", "L", "D") and other.phonemes == ()
    with pytest.raises(ValueError, match="no times"):
        join_utterances([timed, other])
    assert [one.said for one in load_recordings("asterisk_prompts_en", "test", timed=True)] == [timed.said]
    twice = join_utterances([timed, timed])
    assert twice.symbols == timed.said * 2 and twice.utterance.words == ("hello", "world") * 2
    assert gold_overlap(twice.phonemes, 50).sum() == pytest.approx(2 * 0.8 / 0.04, rel=1e-5)


def test_pieces_keep_their_own_sound_words_and_times(stage):
    stage("asterisk_prompts_en", [timed_row()])
    [timed] = load_recordings("asterisk_prompts_en", "test")
    first, second = pieces_of(timed, 1)
    assert (first.utterance.words, second.utterance.words) == (("hello",), ("world",))
    assert first.said + second.said == timed.said
    assert [p.start_ms for p in second.phonemes] == pytest.approx([0, 100, 200, 300])
    assert np.abs(second.samples - timed.samples[3520:6720]).max() <= 1  # 440 to 840 ms
    [whole] = pieces_of(timed, 5)
    assert whole.said == timed.said


def test_what_cannot_be_used_is_named(stage, tmp_path, monkeypatch):
    with pytest.raises(RealDataNotFoundError, match="fsdd is not on the hub.*holds fsdd/.*SOURCE = 'default'"):
        load_recordings("fsdd")
    stage("librispeech", [row("hello"), row("world", audio={"bytes": b"not a sound", "path": "x"})])
    with pytest.raises(DataFormatError, match=r"librispeech, test, row 1 \(x\): the sound cannot be read"):
        load_recordings("librispeech", "test")
    stage("librispeech", [row("hello"), row("hello zyzzyva")])
    with pytest.warns(UserWarning, match="1 recordings left out.*'zyzzyva'} cannot be said"):
        assert len(load_recordings("librispeech", "test")) == 1
    stage("asterisk_prompts_en", [row("hello", phones=[phone("AX", 0, 0.1)], words=[])])
    with pytest.raises(DataFormatError, match="row 0: phones holds .*AX.*CMUdict"):
        load_recordings("asterisk_prompts_en", "test")
    with pytest.raises(DataFormatError, match="librispeech, test: no recording has the times"):
        load_recordings("librispeech", "test", timed=True)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(RealDataNotFoundError, match="pip install soundfile"):
        load_recordings("librispeech", "test")


@pytest.mark.parametrize(
    ("form", "depth", "error"),
    [
        ("WAV", "PCM_U8", 1e-2), ("WAV", "PCM_16", 1e-4), ("WAV", "PCM_24", 1e-6), ("WAV", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 1e-6), ("WAV", "DOUBLE", 1e-6), ("AIFF", "PCM_S8", 1e-2), ("FLAC", "PCM_24", 1e-6),
        ("OGG", "VORBIS", 0.1), ("MP3", "MPEG_LAYER_III", 0.1),
    ],
)  # fmt: skip
def test_sound_of_any_depth_is_scaled_to_its_full_scale(form, depth, error):
    sound = tone(0.5, 16_000)
    samples, rate = read_sound(encoded(sound, 16_000, form, depth))
    assert rate == 16_000 and samples.dtype == np.float32 and len(samples) == len(sound)
    assert np.abs(samples - sound).max() < error


@pytest.mark.parametrize("rate", [4000, 8000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000, HIGHEST_RATE])
def test_sound_of_any_rate_keeps_its_pitch_and_length(rate):
    samples, found = read_sound(encoded(tone(0.5, rate), rate, "WAV"))
    assert found == rate and samples.shape == (rate // 2,)
    sound = sound_of(make_recording(to_sample_rate(samples, rate), Utterance(("x",), "a"), ("K",)))
    assert len(sound) == pytest.approx(SAMPLE_RATE / 2, abs=1)
    assert np.abs(np.fft.rfft(sound)).argmax() * SAMPLE_RATE / len(sound) == pytest.approx(440, abs=4)


@pytest.mark.parametrize("scale", [32_767.0, 1e30])
def test_fractions_beyond_the_full_scale_are_scaled_to_their_peak(scale):
    sound = tone(0.5, 16_000)
    samples, _ = read_sound(encoded(scale * sound, 16_000, "WAV", "FLOAT"))
    assert np.abs(samples - sound / np.abs(sound).max()).max() < 1e-5


def test_channels_are_averaged():
    left, right = tone(0.5, 16_000), tone(0.5, 16_000, hertz=1000)
    for channels in ([left, right], [left, 0 * left], [left, left], [left, 0.5 - left / 2], [0 * left, 0 * left]):
        stereo = np.stack(channels, axis=1)
        samples, _ = read_sound(encoded(stereo, 16_000, "WAV", "FLOAT"))
        assert np.abs(samples - stereo.mean(axis=1)).max() < 1e-6


@pytest.mark.parametrize(
    "shares", [(1, -1), (-0.9, 1), (1, -1, 0, 0, 0.9, -0.9)], ids=["opposite", "one is softer", "six channels"]
)
@pytest.mark.parametrize("offset", [0, 0.2])
def test_where_channels_cancel_each_other_the_loudest_is_taken_with_a_warning(shares, offset):
    left = tone(0.5, 16_000)
    channels = np.stack([share * left + offset for share in shares], axis=1)
    with pytest.warns(UserWarning, match=rf"row 3 \(a\.wav\): the {len(shares)} channels cancel.*channel \d is taken"):
        samples, _ = read_sound(encoded(channels, 16_000, "WAV", "FLOAT"), "a.wav", "mine, row 3")
    assert np.abs(np.abs(samples - offset) - np.abs(left)).max() < 1e-6


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "not a number"), (np.inf, "infinite"), (-np.inf, "infinite")])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_no_finite_numbers_are_refused_with_their_position(value, kind, channels):
    sound = np.tile(tone(0.5, 16_000)[:, None], channels)
    sound[[4000, 4001], channels - 1] = value
    place = rf"row 3 \(a\.wav\): the sample at 0\.250 s \(number 4000, channel {channels}\) is {kind}, one of 2 that"
    with pytest.raises(DataFormatError, match=place):
        read_sound(encoded(sound, 16_000, "WAV", "FLOAT"), "a.wav", "mine, row 3")


def test_a_set_with_a_sample_that_is_no_number_is_refused_with_row_and_file(stage):
    sound = tone(0.5, 16_000)
    sound[8] = np.nan
    audio = {"bytes": encoded(sound, 16_000, "WAV", "FLOAT"), "path": "61.wav"}
    stage("librispeech", [row("hello"), row("world", audio=audio)])
    with pytest.raises(DataFormatError, match=r"librispeech, test, row 1 \(61\.wav\): the sample at 0\.001 s"):
        load_recordings("librispeech", "test")


def damaged(kind):
    flac, wav = encoded(tone(0.5, 16_000), 16_000), bytearray(encoded(tone(0.5, 16_000), 16_000, "WAV"))
    if kind == "claims too much":
        wav[24:28] = (10**9).to_bytes(4, "little")
    contents = {"no bytes": b"", "header": wav[:44], "no sound": b"RIFF or not", "cut": flac[: len(flac) // 2]}
    return bytes(contents.get(kind, wav))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("no bytes", r"cannot be read \(it has no bytes\)"),
        ("header", "is empty; expected at least one sample"),
        ("no sound", r"cannot be read \(Format not recogni[sz]ed"),
        ("cut", "cannot be read"),
        ("claims too much", "claims 1000000000 samples per second; expected at most"),
    ],
)
def test_sound_that_is_empty_or_damaged_is_refused_with_row_and_file(kind, message, tmp_path):
    with pytest.raises(DataFormatError, match=rf"mine, row 3 \(a\.wav\): the sound {message}"):
        read_sound(damaged(kind), "a.wav", "mine, row 3")
    (tmp_path / "a.wav").write_bytes(damaged(kind))
    with pytest.raises(DataFormatError, match=rf"mine, row 3 \(.*a\.wav\): the sound {message}"):
        read_sound(None, tmp_path / "a.wav", "mine, row 3")


def test_a_file_is_read_like_its_bytes_whatever_its_name(tmp_path):
    content = encoded(tone(0.5, 16_000), 16_000)
    file = tmp_path / "élève.raw"
    file.write_bytes(content)
    assert (read_sound(None, file)[0] == read_sound(content)[0]).all()
    assert (read_sound(None, str(file))[0] == read_sound(content)[0]).all()
    with pytest.raises(DataFormatError, match=r"the sound \(.*missing\.wav\): the sound cannot be read .*No such file"):
        read_sound(None, tmp_path / "missing.wav")


def recording(digit, speaker, number=0, seconds=0.4):
    name = list(DIGITS)[digit]
    sound = tone(seconds, SAMPLE_RATE, 300 + 40 * digit)
    return make_recording(sound, Utterance((name,), speaker, key=f"{digit}_{speaker}_{number}"), DIGITS[name])


def test_speed_changes_length_and_pitch_and_times():
    one = make_recording(
        tone(0.4, SAMPLE_RATE), Utterance(("x",), "a"), ("K",), (Phoneme("K", 100, 200),), (("x", 100, 200),)
    )
    fast = play_at(one, Fraction(5, 4))
    assert len(fast.samples) == len(one.samples) * 4 // 5
    assert np.abs(np.fft.rfft(sound_of(fast))).argmax() * SAMPLE_RATE / len(fast.samples) == pytest.approx(550, abs=5)
    assert fast.phonemes == (Phoneme("K", 80, 160),) and fast.word_times == (("x", 80, 160),)
    assert play_at(one, Fraction(1)) is one


def test_noise_lies_as_far_below_the_voice_as_asked():
    one = recording(3, "a")
    noisy = add_noise(one, 20.0)
    noise = sound_of(noisy) - sound_of(one)
    ratio = np.sqrt(np.mean(noise**2) / np.mean(sound_of(one) ** 2))
    assert 20 * np.log10(ratio) == pytest.approx(-20, abs=0.5)
    assert (add_noise(one, 20.0).samples == noisy.samples).all()
    assert (add_noise(one, 20.0, seed=1).samples != noisy.samples).any()


@pytest.fixture
def synthetic():
    tests = {split: small_set(split)[:4] for split in ("test", "unseen phrases", "unseen speakers")}
    return SpokenData("default", Vocabulary(PHONEMES), small_set("train")[:6], small_set("validation")[:4], tests, "")


def test_the_held_out_speaker_and_the_sets_own_test_are_in_no_training(monkeypatch, synthetic):
    sets = {
        "train": [recording(d, speaker, 5) for d in range(3) for speaker in ("ann", "bob", "cy")],
        "test": [recording(d, speaker, 0) for d in range(2) for speaker in ("ann", "bob", "cy")],
    }
    monkeypatch.setattr(recorded_data, "load_recordings", lambda name, split: sets[split])
    data = digit_data(synthetic, "bob")
    recorded = data.train[len(synthetic.train) :]
    assert len(recorded) == len(SPEEDS) * 6 and speakers_of(recorded) == ("ann", "cy")
    assert {one.utterance.key.split()[0] for one in recorded}.isdisjoint(
        one.utterance.key for test in ("unseen speaker", "known speakers") for one in data.test[test]
    )
    assert speakers_of(data.test["unseen speaker"]) == ("bob",) and len(data.test["unseen speaker"]) == 5
    assert speakers_of(data.test["known speakers"]) == ("ann", "cy") and len(data.test["known speakers"]) == 4
    monkeypatch.setattr(recorded_speech, "SPEAKERS", ("bob",))
    monkeypatch.setattr(lesson_06, "SPEAKERS", ("bob",))
    alone = lesson_06.recorded_data_of("synthetic", synthetic)
    assert alone.train == synthetic.train and len(alone.test["unseen speaker"]) == 5
    assert sum(len(batch.features) for batch in data.batches(4, seed=0)(0)) == len(data.train)
    with pytest.raises(ValueError, match="held_out is 'dan'; expected one of ann, bob, cy"):
        digit_data(synthetic, "dan")


def test_versions_are_the_same_every_time_and_one_is_untouched():
    ones = [recording(d, "ann") for d in range(2)]
    first, second = training_versions(ones), training_versions(ones)
    assert len(first) == len(SPEEDS) * 2 and all(any(one is version for version in first) for one in ones)
    for one, other in zip(first, second, strict=True):
        assert (one.samples == other.samples).all() and one.said == other.said


def test_bent_recordings_keep_what_was_said_and_are_the_same_every_time():
    one = recording(4, "ann")
    bent = bend(one)
    assert bent.said == one.said and bent.phonemes == () and bent.utterance.key == f"{one.utterance.key} bent 0"
    assert (bent.features == bend(one).features).all()
    others = [bend(one, seed) for seed in range(20)]
    assert len({other.features.tobytes() for other in others}) == 20
    assert 0.7 * len(one.features) < min(len(other.features) for other in others)
    assert max(len(other.features) for other in others) < 1.4 * len(one.features)
    assert all(np.isfinite(other.features).all() for other in others)
    assert (one.features == recording(4, "ann").features).all()


def test_vocal_tracts_of_other_lengths_move_the_loudest_band_both_ways(monkeypatch):
    shown = np.zeros_like(recording(9, "ann").features)
    shown[:, 20] = 50
    one = replace(recording(9, "ann"), features=shown)

    def loudest():
        return {int(bend(one, seed).features.astype(np.float32).mean(0).argmax()) for seed in range(30)}

    monkeypatch.setattr(recordings, "_HIDDEN_BANDS", 0)
    found = loudest()
    assert 16 <= min(found) < 20 < max(found) <= 24
    monkeypatch.setattr(recordings, "_TRACT", (1.0, 1.0))
    assert loudest() == {20}


def test_speakers_are_normalized_by_all_that_they_say():
    ones = [recording(digit, speaker, seconds=0.2 + 0.1 * digit) for speaker in ("ann", "bob") for digit in range(3)]
    mixed = [ones[index] for index in (3, 0, 4, 1, 5, 2)]
    normalized = normalize_by_speaker(mixed)
    assert [one.utterance for one in normalized] == [one.utterance for one in mixed]
    for speaker in ("ann", "bob"):
        said = [one.features.astype(np.float32) for one in normalized if one.utterance.speaker == speaker]
        together = np.concatenate(said)
        assert np.abs(together.mean(0)).max() < 0.01 and np.abs(together.std(0) - 1).max() < 0.05
        assert np.abs(said[0].mean(0)).max() > 0.1  # a word keeps what sets it apart from the others
    assert normalize_by_speaker([]) == []


def test_synthetic_phrases_are_normalized_too(synthetic):
    before = [one.features.copy() for one in synthetic.train]
    for one, kept, features in zip(normalize_by_speaker(synthetic.train), synthetic.train, before, strict=True):
        assert one.symbols == kept.symbols and one.features.shape == features.shape
        assert (kept.features == features).all()


def test_many_speakers_have_the_tests_of_the_others_and_nothing_of_the_held_out_speaker(monkeypatch, synthetic):
    sets = {
        "train": [recording(d, speaker, 5) for d in range(3) for speaker in ("ann", "bob", "cy")],
        "test": [recording(d, speaker, 0) for d in range(2) for speaker in ("ann", "bob", "cy")],
    }
    monkeypatch.setattr(recorded_data, "load_recordings", lambda name, split: sets[split])
    monkeypatch.setattr(
        recorded_data, "synthetic_digits", lambda seed: [recording(1, "machine"), recording(2, "robot")]
    )
    plain, data = digit_data(synthetic, "bob"), many_speakers_data(synthetic, "bob")
    for name, ones in plain.test.items():
        assert [one.utterance for one in data.test[name]] == [one.utterance for one in ones]
    recorded = data.train[len(synthetic.train) :]
    assert speakers_of(recorded) == ("ann", "cy", "machine", "robot")
    digits = 6 * len(recorded_data.MANY_SPEAKERS["speeds"]) + 2
    assert len(recorded) == digits * (1 + recorded_data.MANY_SPEAKERS["bends"])
    tested = {one.utterance.key for name in ("unseen speaker", "known speakers") for one in data.test[name]}
    assert tested.isdisjoint(one.utterance.key.split()[0] for one in recorded)
    with pytest.raises(ValueError, match="held_out is 'dan'; expected one of ann, bob, cy"):
        many_speakers_data(synthetic, "dan")


def test_the_synthesizer_says_digits_in_every_voice():
    try:
        spoken = synthetic_digits(times=1)
    except EspeakError as error:
        pytest.skip(f"espeak-ng cannot be loaded: {error}")
    assert {one.utterance.speaker for one in spoken} == set(TRAINING_SPEAKERS)
    assert len(spoken) == len(DIGITS) * len(TRAINING_SPEAKERS)
    assert all(one.said == DIGITS[one.utterance.words[0]] and 10 < len(one.features) < 300 for one in spoken)


def test_a_digit_is_the_nearest_one():
    for name, symbols in DIGITS.items():
        assert digit_of(symbols) == name
    assert digit_of(("S", "EH", "V", "N")) == "seven"
    assert digit_of(("AY",)) is None  # as near to five as to nine
    assert digit_of(()) is None


def test_right_digits_are_counted(monkeypatch, synthetic):
    ones = [recording(d, "ann") for d in (1, 2, 3, 4)]
    encode = synthetic.vocabulary.encode
    written = [DIGITS["one"], DIGITS["two"], DIGITS["nine"], ()]
    monkeypatch.setattr(
        recorded_speech, "recognize", lambda *_: [Hypothesis(encode(one), 0.0, None, True) for one in written]
    )
    assert digits_right(None, synthetic, ones) == 0.5
    with pytest.raises(ValueError, match="each of one digit"):
        digits_right(None, synthetic, synthetic.test["test"])


@staged("fsdd")
def test_the_staged_digits(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    kept = load_recordings("fsdd", "test")
    assert len(kept) == 300 and speakers_of(kept) == SPEAKERS
    for one in kept:
        assert one.said == DIGITS[one.utterance.words[0]] and one.phonemes == ()
        assert one.utterance.key.startswith(str(list(DIGITS).index(one.utterance.words[0])))


@staged("asterisk_prompts_en")
def test_the_staged_prompts_have_times_within_their_sound(monkeypatch, synthetic):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    prompts = recorded_data.timed_prompts("test")
    assert len(prompts) > 40
    for one in prompts:
        ends = [p.end_ms for p in one.phonemes]
        assert ends == sorted(ends) and ends[-1] <= len(one.samples) / SAMPLE_RATE * 1000 + 10
        pieces = pieces_of(one, 3)
        assert sum((piece.said for piece in pieces), ()) == one.said
    leads = [sound_of(one)[: round(8 * one.phonemes[0].start_ms)] for one in prompts]
    quiet = [np.mean(lead**2) for lead in leads if len(lead)]
    assert np.median(quiet) < 0.01 * 0.08**2  # before the first phoneme there is silence


def prompts_only(monkeypatch, count):
    """Few prompts, and of the digits those that the set keeps for tests, in place of all."""

    @cache
    def few(name, split, **options):
        return load_recordings("fsdd", "test") if name == "fsdd" else load_recordings(name, split, count, **options)

    monkeypatch.setattr(recorded_data, "load_recordings", few)
    monkeypatch.setattr(recorded_data, "training_versions", lambda ones, seed, speeds=(): list(ones))
    monkeypatch.setattr(recorded_data, "synthetic_digits", lambda seed: [recording(1, "machine")])


@staged("asterisk_prompts_en")
def test_prompts_in_training_are_not_those_of_the_test(monkeypatch, synthetic):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    prompts_only(monkeypatch, 40)
    data = prompt_data(synthetic)
    trained = {one.utterance.key.split()[0] for one in data.train[len(synthetic.train) :]}
    assert trained.isdisjoint(one.utterance.key for one in data.test["prompts"])
    assert max(len(one.utterance.words) for one in data.test["pieces"]) == 3


@staged("fsdd")
@staged("asterisk_prompts_en")
def test_every_claim_about_recordings_finds_its_metrics(monkeypatch, synthetic):
    """Each speaker's first recordings stand for all; what is recognised is nothing, what is synthesized is prepared."""
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    nothing = Hypothesis([], 0.0, None, True)
    for module in (recorded_speech, experiments):
        monkeypatch.setattr(module, "recognize", lambda model, data, spoken, *_, **__: [nothing] * len(spoken))
    monkeypatch.setattr(recorded_speech, "said_by_synthesizer", lambda one: small_set("test")[0])
    prompts_only(monkeypatch, 25)
    metrics = {}
    for part, recipes in EXPERIMENT.recipes("real").items():
        data = lesson_06.recorded_data_of(part, synthetic, seed=7)
        assert len(data.train) == len(synthetic.train) or part != "synthetic"
        recipe = Recipe(recipes[part].system, options=SMALL, steps=1, batch_size=8)
        model, _ = experiments.fit(recipe, data, progress=False)
        if part.startswith("prompts"):
            metrics |= named(part, experiments.long_speech_metrics(model, data, prompt_pieces(15)))
        else:
            assert speakers_of(data.test["unseen speaker"]) == (SPEAKERS[1],)
            metrics |= named(part, digit_metrics(model, data, most=2))
        if part in ("synthetic", "prompts", "prompts-content", "prompts-smooth"):
            metrics |= named(part, prompt_metrics(model, data, most=15))
    for claim in (claim for claim in EXPERIMENT.claims if "real" in claim.sources):
        assert {claim.baseline[1], claim.ours[1]} <= set(metrics), claim.claim_id
    assert all(np.isfinite(value) for value in metrics.values())


@staged("librivox_sample")
def test_the_staged_sentences_at_16_kilohertz(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    read = load_recordings("librivox_sample", "test")
    assert len(read) == 5
    for one in read:
        steps = -(-len(one.features) // 4)
        assert gold_overlap(one.phonemes, steps).sum() == pytest.approx(
            sum(p.end_ms - p.start_ms for p in one.phonemes) / 40, rel=0.01
        )
        assert torch.isfinite(batch_of(one).features).all()
