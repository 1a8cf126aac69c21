"""Running an exported graph as its user will."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.errors import ArtifactError, boundary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Outputs = dict[str, NDArray[Any]]

GRAPH = "model.onnx"


class Graph:
    """`graph(inputs) -> outputs`, both by name. Raises ArtifactError where onnxruntime does not open it."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        with boundary(lambda error: ArtifactError(f"onnxruntime does not open {GRAPH}: {error}")):
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        self.inputs = [one.name for one in self._session.get_inputs()]
        self.outputs = [one.name for one in self._session.get_outputs()]

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        given = {name: inputs[name] for name in self.inputs}
        found = self._session.run(self.outputs, given)
        return dict(zip(self.outputs, map(np.asarray, found), strict=True))
