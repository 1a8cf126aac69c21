#!/bin/sh
# Entailment (SNLI), all steps: which way of fine-tuning wins, on which pairs people disagree and models with them, and
# what misleads a model.
#   sh recipes/snli.sh SNLI CHAOSNLI OUT [data.train_rows=3000 ...]
# SNLI: folder with train_sample.parquet, dev.parquet, test.parquet. CHAOSNLI: folder with chaosnli.parquet.
# What is done already in OUT is not done again. Arguments behind OUT change keys of recipes/snli.yaml.
set -eu
snli=$1 chaosnli=$2 out=$3
shift 3
stratune=${STRATUNE:-stratune}

echo "== Untuned, LoRA and full, on half of the pairs"
$stratune compare "$(dirname "$0")/snli.yaml" data.source="$snli/train_sample.parquet" data.val="$snli/dev.parquet" \
  data.test="$snli/test.parquet" "$@" --out "$out"

echo "== Pairs on which people disagree: five annotators, of whom three agreed"
$stratune evaluate "$out" "$chaosnli/chaosnli.parquet" --name disputed --label gold_label \
  --annotations annotator_labels --no-gold - --slices source

echo "== What misleads a model: planted labels, injected instructions, and changes that change nothing"
$stratune stress "$out" --rows 300
$stratune attack "$out" --by words --rows 100 --queries 40 --strategies full,lora

echo "== Three pairs, one of each label"
for hypothesis in "There are animals outdoors." "Some dogs are playing fetch." "The dogs are sitting on a couch."; do
  echo "Two dogs are running through a field. / $hypothesis"
  $stratune predict "$out" "Two dogs are running through a field." "$hypothesis"
done
