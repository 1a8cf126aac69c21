"""Documents whose label hangs on one sentence at a random place."""

import random

from datasets import Dataset

from stratune.data.split import assemble
from stratune.task import Task
from stratune.testing.toy import FAMILIES, FILLERS


def sentence(words):
    return " ".join(words) + ". "


def needle_split(sentences=12, rows=64, seed=0):
    """Each document holds one animal or one weather word, and nothing else that matters."""
    draw = random.Random(seed)

    def table(part, count):
        texts, labels = [], []
        for row in range(count):
            label = ("animal", "weather")[row % 2]
            document = [sentence(draw.sample(FILLERS, 5)) for _ in range(sentences)]
            place = draw.randrange(sentences)
            document[place] = sentence([*draw.sample(FILLERS, 2), draw.choice(FAMILIES[label])])
            texts.append("".join(document))
            labels.append(label)
        return Dataset.from_dict(
            {"id": [f"{part}-{i}" for i in range(count)], "text": texts, "label": labels}
        )

    tables = {"train": table("train", rows), "val": table("val", rows // 2), "test": table("test", rows // 2)}
    return assemble(tables, Task(labels=("animal", "weather")))
