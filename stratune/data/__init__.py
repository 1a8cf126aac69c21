"""From the user's file to three fixed parts. Knows no model.

read.py         a file, a hub id, a demo or Python objects -> raw table
                (delimited.py, json_files.py, text_files.py, parquet.py, excel.py, hub.py, demo.py)
columns.py      raw table -> canonical table: id, text, [text_pair], label, [group], [annotations]
annotations.py  the single ratings behind a label; raters.py: which columns they are in
split.py        canonical tables -> Split(train, val, test, fingerprint)
                (assign.py: which row goes to which part; fingerprint.py: a digest of rows and parts)
by_time.py      a split by a column of dates or numbers (moments.py: how they are read)
labels.py       the label column as each kind of task reads it; rows.py: a table as models take it
                (lists.py: lists that were written as text)
unknown.py      labels that no training row has: refused, left out, or counted as wrong
bins.py         a split of scores -> a split of levels
load.py         all of the above in one call; task.py: the task of a source
folds.py        cross-validation folds, random or by groups
check.py        what to know before training: Issues (label_issues.py: of labels; identity.py: equal
                texts; lengths.py: percentiles)
write.py        batches -> csv, jsonl, parquet (layout.py: the types of a file's columns)
store.py        a split in the cache folder, for the processes of its runs
arrow.py        between Python values, Arrow and datasets.Dataset
segments.py     the mark between the pieces of a transcript in one text

Import from the modules: they load `datasets` and pyarrow, which `import stratune` must not.
"""
