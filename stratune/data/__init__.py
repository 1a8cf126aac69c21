"""From the user's file to three fixed parts. Knows no model.

read.py      a file, a hub id, a demo or Python objects -> raw table   (delimited, json_files, parquet, hub,
demo) columns.py   raw table -> canonical table: id, text, [text_pair], label, [group] split.py     canonical
tables -> Split(train, val, test, fingerprint)   (assign: who goes where) load.py      all of the above in one
call check.py     what to know before training   (identity, lengths) write.py     batches -> csv, jsonl,
parquet

annotations.py adds the single ratings behind a label, raters.py says who gave them.

Import from the modules: they load `datasets` and pyarrow, which `import stratune` must not.
"""
