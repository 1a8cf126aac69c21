"""Building an ONNX graph node by node, for what no exporter makes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET = 18
MICROSOFT = "com.microsoft"  # onnxruntime's own operators
IR_VERSION = 10


class Nodes:
    """Nodes so far; a node's result is known by its name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._number = itertools.count()

    def add(self, op: str, *inputs: str, name: str | None = None, domain: str = "", **attributes: Any) -> str:
        """The name of the one result: `name`, or a new one."""
        from onnx import helper

        result = name or f"{op.lower()}_{next(self._number)}"
        self.nodes.append(helper.make_node(op, list(inputs), [result], domain=domain, **attributes))
        return result

    def constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant_{next(self._number)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def numbers(self, values: Any) -> str:
        """A float32 constant."""
        return self.constant(np.asarray(values, dtype=np.float32))

    def model(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """A checked ModelProto."""
        import onnx
        from onnx import helper

        graph = helper.make_graph(self.nodes, "model", inputs, outputs, self.constants)
        sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        made = helper.make_model(graph, opset_imports=sets, ir_version=IR_VERSION)
        onnx.checker.check_model(made)
        return made
