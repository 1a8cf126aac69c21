"""The difference that a test part can show, told before training."""

import numpy as np
import pytest
from typer.testing import CliRunner

from stratune.cli import app
from stratune.evaluate.visible import SHARED, visible_difference


@pytest.mark.parametrize("right", [0.6, 0.9])
def test_it_is_half_the_interval_of_a_paired_difference(right):
    """Two models of which each is wrong on its own in SHARED of what independent errors would be."""
    draw, rows = np.random.default_rng(0), 400
    apart = SHARED * right * (1 - right)  # one right and the other wrong, each way
    cells = draw.multinomial(rows, [right - apart, apart, apart, 1 - right - apart], size=4000)
    differences = (cells[:, 1] - cells[:, 2]) / rows
    assert np.mean(np.abs(differences) > visible_difference(right, rows)) == pytest.approx(0.05, abs=0.012)


def test_four_times_the_rows_show_half_the_difference():
    assert visible_difference(0.8, 400) == pytest.approx(2 * visible_difference(0.8, 1600))


@pytest.mark.parametrize(("kind", "told"), [("classification", True), ("regression", False)])
def test_data_check_tells_it_of_labels(kind, told, tmp_path):
    rows = [f"text number {n} of {n * 7919 % 1009},{n % 2}" for n in range(400)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows, ""]))
    options = ["data", "check", str(tmp_path / "a.csv"), "--kind", kind, "--backbone", ""]
    ran = CliRunner().invoke(app, options)
    assert ran.exit_code == 0, ran.output
    line = "With 60 test rows, differences in accuracy under about 11.6, 10.1 or 7.6 points cannot be seen"
    assert (line in " ".join(ran.output.split())) == told
