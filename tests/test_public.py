"""The public names: all there, all documented, none heavy before it is used."""

import subprocess
import sys

import stratune


def test_every_public_name_is_there_and_documented():
    for name in stratune.__all__:
        thing = getattr(stratune, name)
        assert name == "__version__" or thing.__doc__
    assert dir(stratune) == sorted(stratune.__all__)


def test_importing_stratune_imports_no_torch():
    code = (
        "import sys, stratune; print(sorted({'torch', 'transformers', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(stratune, "no_such_name")
