"""A trained strategy in the format of another library."""

from stratune.export.hf import export_hf as export_hf
