"""What benchmarks/peers.py is made of.

sets.py     data sets as they are described, and the rows that every system gets (sets.yaml: the development sets)
answers.py  what a system answers to the test rows; how its settings are chosen on validation
linear.py   TF-IDF or frozen vectors and a linear model, cosine of two vectors
vectors.py  frozen mean-pooled vectors of texts and pairs
trainer.py  transformers' Trainer
setfit.py   SetFit, in an environment of its own (setfit_worker.py runs there)
ours.py     stratune: one comparison of all strategies for each draw
kept.py     what is kept of a run: a line and a file of predictions for each system
table.py    paired differences, Markdown
"""
