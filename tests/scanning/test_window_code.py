"""The search with windows in the lanes, by each instruction that looks up bytes."""

from dataclasses import replace

import numpy as np
import pytest
from llvmlite import binding, ir
from vector_inputs import as_list, brute_force, by_windows, random_strands

from motifcnn.scanning import compilation, machine_code, window_code
from motifcnn.scanning.code_parts import WHOLE
from motifcnn.scanning.window_code import NEON, SHUFFLES, Search, best_shuffle

X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"


@pytest.mark.parametrize(
    ("triple", "features", "chosen"),
    [
        (X86, "+ssse3,+avx2,+avx512bw,+avx512vbmi,+avx512vbmi2", SHUFFLES[0]),
        (X86, "+avx2,+avx512bw,-avx512vbmi,+ssse3", SHUFFLES[1]),
        (X86, "+ssse3,+avx,+avx2,-avx512bw", SHUFFLES[2]),
        (X86, "+ssse3,+sse3", SHUFFLES[3]),
        (X86, "+sse3,-ssse3", None),
        (X86, "", None),
        (ARM, "", NEON),
        ("arm64-apple-darwin24.0.0", "", NEON),
        ("riscv64-unknown-linux-gnu", "+v", None),
    ],
)
def test_the_best_instruction_that_there_is(triple, features, chosen):
    assert best_shuffle(triple, features) is chosen


@pytest.mark.parametrize("shuffle", [*SHUFFLES, None], ids=lambda shuffle: shuffle.feature if shuffle else "none")
def test_every_instruction_finds_what_brute_force_finds(shuffle, monkeypatch):
    if shuffle and not binding.get_host_cpu_features().get(shuffle.feature):
        pytest.skip("this processor does not have it")
    whole = machine_code.machine_code()  # before less is compiled, which must not be kept in its place
    monkeypatch.setattr(window_code, "_shuffle", lambda context: shuffle)
    names = ("search_by_windows", "table_entries")
    monkeypatch.setattr(compilation, "FUNCTIONS", {name: compilation.FUNCTIONS[name] for name in names})
    monkeypatch.setattr(machine_code, "ARGUMENTS", {name: machine_code.ARGUMENTS[name] for name in names})
    code = replace(whole, **machine_code._functions(machine_code._compiled()))
    assert code.table_entries() == (shuffle.entries if shuffle else 0)
    if shuffle is None:
        return
    generator = np.random.default_rng(1)
    for letters in (4, 20, 32):
        for count in (1, 2, 5):
            scores, thresholds = random_strands(generator, count, letters, widths=(1, 41))
            codes = generator.integers(0, letters + (letters == 4), 700).astype(np.uint8)
            codes[200:280] = letters
            found = by_windows(scores, thresholds, code).find(codes, 2, 690)
            assert as_list(found) == brute_force(scores, thresholds, codes, 2, 690)


def test_the_search_compiles_for_arm():
    """There is none here to run it."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    try:
        target = binding.Target.from_triple(ARM)
    except RuntimeError:
        pytest.skip("this llvmlite does not compile for ARM")
    module = ir.Module("arm")
    module.triple = ARM
    byte = ir.IntType(8).as_pointer()
    kinds = [byte, byte, *[WHOLE] * 5, WHOLE.as_pointer(), WHOLE.as_pointer()]
    function = ir.Function(module, ir.FunctionType(WHOLE, kinds), "search")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(Search(NEON, builder, function.args).emit())
    machine = target.create_target_machine(opt=3)
    text = machine.emit_assembly(binding.parse_assembly(str(module)))
    assert "\ttbl\t" in text
    assert "\tsqadd\t" in text
