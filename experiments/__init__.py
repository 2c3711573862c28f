"""What is measured: one file per lesson (`lesson_NN_….py`), and the runner that measures it over seeds.

python -m experiments run 02 --seeds 5      # measure the claims of lesson 2
python -m experiments checkpoint 02         # train its checkpoints again
python -m experiments judge 02              # derive the verdicts of its stored results again
python -m experiments report                # print the table of claims
python -m experiments costs                 # print what the evidence costs
"""
