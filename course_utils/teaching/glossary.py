"""The words of the course, each with one meaning: the table of lesson 0 and the site's glossary are made from it.

explain("pointing game")      # one word, in a cell of your own
explain()                     # all of them
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from IPython.display import Markdown, display


@dataclass(frozen=True)
class Term:
    """Names explained together; meaning, other names and symbols in Markdown; the lesson, 0 = every lesson."""

    names: tuple[str, ...]
    meaning: str
    also: str = ""
    lesson: int = 0


_TEXT = r"""
lesson 0
source, target | what is read, what is written | input, output
encoder, decoder | the network that reads the source, and the one that writes the target
encoder outputs | one vector per source position, `(batch, source_length, hidden_size)` | annotations, memory, hidden
  states, $h_j$
source mask | `(batch, source_length)`, **True = real token**, False = padding | padding mask (often the other way
  round!)
query | the decoder's state, as it asks where to look | $s_{i-1}$
keys | what the query is compared with: encoder outputs, transformed once per sentence | $U_a h_j$
scores | one number per source position: how well it fits the query | energies, $e_{ij}$, logits
attention weights | softmax of the scores over the real positions; they sum to one | $\alpha_{ij}$, soft alignment
context | average of the encoder outputs, weighted by the attention weights | $c_i$, glimpse
fixed-length | the decoder without attention: one vector for the whole source | bottleneck, thought vector, fixed vector
gold alignment | which source positions a target word really comes from; known, because we built the data | reference
  alignment
alignment error rate | share of disagreement between the model's links and the gold ones: 0 is perfect, 1 is none right
  | AER
greedy, beam | two ways to decode: take the best word each time, or keep the best few sentences | greedy search, beam
  search
teacher forcing | in training, the decoder is fed the true previous word, and not the one it chose itself
checkpoint | a trained model in a file, with a card that says how it was made
claim, verdict | what a paper says, and whether our repetition bears it out
seed | the number from which all chance of a run follows: the first weights, the order of the data. Several seeds show
  how much of a result is luck
95 % interval | where the true mean difference probably lies, given how the seeds differ. A claim holds only if the
  whole interval lies on its side | confidence interval, ci95
lesson 1
padding | filling that makes the sequences of a batch equally long; it must never change a result
hidden state | what a recurrent network carries from one step to the next | state, $h_t$
GRU, LSTM | recurrent steps with gates that decide what is kept and what is replaced; the LSTM keeps a second state, its
  cell | gated recurrent unit, long short-term memory
BLEU | how many runs of one to four words a translation shares with the true one: 0 to 100, 100 = the same text
length bucket | examples whose sources are about equally long; every curve over length has one point for each
nats, perplexity | the loss per word, with the natural logarithm; and its exponential: among how many equally likely
  words the model still hesitates | cross-entropy, negative log-likelihood
probe | a simple model that tries to read something out of a vector, to find out whether it is in there
vanishing gradient | what a late error tells an early step shrinks with every step in between, until nothing is learned
  from it
lesson 2
additive attention | scores from a small network: $v^\top \tanh(W s_{i-1} + U h_j)$ | Bahdanau attention, concat
  attention, MLP attention
maxout | of each pair of numbers, keep the larger one
lesson 3
glimpse | a look at a small part of a picture
retina | patches around one place, each twice as wide as the last and brought to the same size: sharp in the middle,
  coarse around it
policy | the probabilities with which a model draws what it does next, such as the next place
REINFORCE | learning from a reward for what was drawn by chance, where no gradient leads through the draw | policy
  gradient, score-function estimator
reward baseline | a forecast of the reward that is subtracted from it: less chance in the gradient, the same on average.
  Not to be confused with a baseline, the simple system that a result is compared with
Gaussian window | a grid of bell-shaped filters laid over a picture; place, width and stride can be learned by gradient
  | attentive window, read and write attention of DRAW
lesson 4
soft attention | the weighted average of all places: differentiable, and it has to touch everything
hard attention | one place, drawn with the attention weights as probabilities; learned by REINFORCE
gate | a number from 0 to 1 that says how much gets through | $\beta_t$
doubly stochastic penalty | makes the weights of each place add up to about one over all words, so that everything is
  looked at
pointing game | a map counts as a hit if its largest weight lies inside the box of the object that the word names
lesson 5
premise, hypothesis | two sentences: the first is taken as true; the second follows from it (entailment), is against it
  (contradiction), or neither (neutral)
conditional encoding | the second reader starts from where the first one ended: from its cell state
word-by-word attention | a look for every word that is read, and each look remembers what the earlier ones found
hypothesis-only baseline | a model that never sees the premise; whatever it gets right was given away by the wording
lesson 6
filterbank | a sound as a picture: the energy in some tens of bands of pitch, every few milliseconds
phoneme | a sound of speech that makes a difference between words
phoneme error rate | phonemes to put in, take out or replace until the result is right, divided by how many there are |
  PER
location-aware attention | scores that also see where the last look was, through filters over the last weights | hybrid
  attention
smoothing, sharpening | weights that are spread more evenly (a sigmoid in place of the exponential), or less
lesson 7
lead baseline | the first words of a text, taken for its summary
ROUGE | how many words, pairs of words or runs of words a summary shares with the true one | ROUGE-1, ROUGE-2, ROUGE-L
bag of words | the words without their order: the mean of their vectors
abstractive, extractive | a summary in words of its own, or one put together from words of the text
"""  # names | meaning | other names; a line that begins with spaces continues the one before


def _terms(text: str) -> Iterator[Term]:
    lesson = 0
    for line in text.strip().replace("\n  ", " ").splitlines():
        names, meaning, also = [*line.split(" | "), "", ""][:3]
        if meaning:
            yield Term(tuple(names.split(", ")), meaning, also, lesson)
        else:
            lesson = int(names.removeprefix("lesson "))


TERMS = tuple(_terms(_TEXT))


def glossary_table(lessons: Iterable[int] | None = None) -> str:
    """Write entries as a Markdown table: name, what it is, other names.

    Args:
        lessons: the lessons whose words are wanted, with 0 for the words that every lesson uses; all if None.
    """
    wanted = {term.lesson for term in TERMS} if lessons is None else set(lessons)
    rows = ["| name | what it is | also called |", "|---|---|---|"]
    for term in TERMS:
        if term.lesson in wanted:
            names = ", ".join(f"**{name}**" for name in term.names)
            rows.append(f"| {names} | {term.meaning} | {term.also} |")
    return "\n".join(rows)


def find_term(name: str) -> Term:
    """Find an entry by one of its names or by one of the other names that it lists.

    Raises:
        KeyError: if there is none; the message names the nearest ones.
    """
    known = {other.strip().lower(): term for term in TERMS for other in term.also.split(",") if other.strip()}
    known |= {each.lower(): term for term in TERMS for each in term.names}
    if name.strip().lower() not in known:
        near = get_close_matches(name.strip().lower(), known) or sorted(term.names[0] for term in TERMS)
        raise KeyError(f"the glossary has no {name!r}; it has, among others: {', '.join(near)}.")
    return known[name.strip().lower()]


def explain(*names: str) -> None:
    """Show what words of the course mean; all of them if none is named.

    Raises:
        KeyError: if the glossary does not have one.
    """
    if not names:
        display(Markdown(glossary_table()))
    for name in names:
        term = find_term(name)
        also = f" (also called: {term.also})" if term.also else ""
        display(Markdown(f"**{', '.join(term.names)}**: {term.meaning}{also}."))
