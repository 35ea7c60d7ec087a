"""Kinds of processors."""

from alrakis.evidence.kinds import OTHER, kind_of


def test_the_most_able_instructions_name_the_kind() -> None:
    assert kind_of(["AVX2"]) == "x86 with AVX2"
    assert kind_of(["AVX2", "AVX-512"]) == "x86 with AVX-512"
    assert kind_of(["AVX2", "AVX-VNNI"]) == "x86 with AVX-VNNI"
    assert kind_of(["AVX2", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16"]) == "x86 with AVX-512 VNNI"
    assert kind_of(["AMX BF16", "AMX INT8", "AVX-512 VNNI"]) == "x86 with AMX"
    assert kind_of(["NEON", "DotProd", "BF16"]) == "ARM with DotProd"
    assert kind_of(["NEON", "DotProd", "I8MM"]) == "ARM with I8MM"
    assert kind_of([]) == OTHER
