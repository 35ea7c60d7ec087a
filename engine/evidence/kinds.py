"""Kinds of processors: those that multiply matrices with the same instructions."""

from collections.abc import Collection

# From the most able down: an instruction set, and what processors with it, and none above it, are called.
_KINDS = (
    ("AMX INT8", "x86 with AMX"),
    ("AVX-512 VNNI", "x86 with AVX-512 VNNI"),
    ("AVX-VNNI", "x86 with AVX-VNNI"),
    ("AVX-512", "x86 with AVX-512"),
    ("AVX2", "x86 with AVX2"),
    ("I8MM", "ARM with I8MM"),
    ("DotProd", "ARM with DotProd"),
    ("NEON", "ARM with NEON"),
)
OTHER = "another processor"


def kind_of(features: Collection[str]) -> str:
    """The kind of a processor with these instruction sets, by their names in `alrakis.hardware`."""
    return next((kind for feature, kind in _KINDS if feature in features), OTHER)
