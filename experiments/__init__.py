"""What is measured: one file per lesson (`lesson_NN_….py`), and the runner that measures it over seeds.

python -m experiments run 02 --seeds 5      # measure the claims of lesson 2
python -m experiments checkpoint 02         # train its checkpoints again
python -m experiments accept 02 --reason …  # let its stored result stand after a change of the code
python -m experiments report                # print the table of claims
"""
