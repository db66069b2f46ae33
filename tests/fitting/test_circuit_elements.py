"""Elements have the impedance of their definition and exact derivatives, trees add them up, and both notations are read."""

from __future__ import annotations

import numpy as np
import pytest

from fem_constriction.errors import InputError
from fem_constriction.fitting.coordinates import Coordinates, Limits, canonical, limits_of, parameters
from fem_constriction.fitting.elements import KINDS
from fem_constriction.fitting.notation import Series, parse
from fem_constriction.fitting.tree import Block, derivatives, impedance

S = 2j * np.pi * np.geomspace(1e-4, 1e8, 25)

LAWS = {
    "R": ((5.0,), 5 + 0 * S),
    "C": ((2e-6,), 1 / (2e-6 * S)),
    "L": ((1e-7,), 1e-7 * S),
    "CPE": ((1e-5, 0.8), 1 / (1e-5 * S**0.8)),
    "La": ((1e-7, 0.9), 1e-7 * S**0.9),
    "W": ((3.0,), 3 * (1 - 1j) / np.sqrt(S.imag)),
    "G": ((20.0, 0.1), 20 / np.sqrt(1 + 0.1 * S)),
    "K": ((7.0, 1e-3), 7 / (1 + 1e-3 * S)),
    "Zarc": ((7.0, 1e-3, 0.7), 7 / (1 + (1e-3 * S) ** 0.7)),
}


@pytest.mark.parametrize("kind", list(LAWS))
def test_an_element_has_the_impedance_of_its_definition(kind: str) -> None:
    values, wanted = LAWS[kind]
    np.testing.assert_allclose(KINDS[kind].impedance(S, values), wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", ["Wo", "Ws"])
def test_a_finite_warburg_element_is_its_series_and_its_limits(kind: str) -> None:
    """x coth x = 1 + 2 sum of x^2/(x^2 + (n pi)^2), tanh x/x = 2 sum of 1/(x^2 + ((n - 1/2) pi)^2); R/sqrt(s tau) when fast."""
    s = 2j * np.pi * np.geomspace(1e-3, 1e2, 11)
    n = np.arange(1, 200_001)[:, None]
    x2 = s * 0.5
    exact = 4 * (1 + 2 * np.sum(x2 / (x2 + (n * np.pi) ** 2), 0)) / x2
    if kind == "Ws":
        exact = 4 * 2 * np.sum(1 / (x2 + ((n - 0.5) * np.pi) ** 2), 0)
    found = KINDS[kind].impedance(s, (4.0, 0.5))
    np.testing.assert_allclose(found, exact, atol=5e-6)  # 2e5 terms leave 2 R/(pi^2 2e5) of the sum
    np.testing.assert_allclose(KINDS[kind].impedance(S[-3:], (4.0, 0.5)), 4 / np.sqrt(S[-3:] * 0.5), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-100, 1e100])
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.filterwarnings("error")
def test_nothing_overflows(kind: str, size: float) -> None:
    internal = [0.8 if suffix == "alpha" else float(np.log(size)) for suffix in KINDS[kind].suffixes]
    z, slopes = KINDS[kind].law(S, internal)
    assert np.all(np.isfinite(z)) and all(np.all(np.isfinite(slope)) for slope in slopes)


CIRCUITS = [
    "R0-p(R1,C1)-p(R2,CPE2)",
    "R0-L0-p(R1-Wo1,CPE1)-CPE0",
    "R0-p(R1,CPE1,p(R2-Ws2,C2)-G3)-La0",
    "K1-Zarc2-W0-C0-p(R1,L1)",
]


@pytest.mark.parametrize("text", CIRCUITS)
@pytest.mark.parametrize(
    "limits", [Limits(), Limits(fixed={"C1": 2.0}), Limits(bounds={"C1": (0.01, 9.0), "tau1": (0.01, 9.0)})]
)
def test_derivatives_are_those_of_central_differences(text: str, limits: Limits) -> None:
    circuit = parse(text)
    coordinates = Coordinates(circuit, limits.of(circuit))
    random = np.random.default_rng(0)
    x = np.array([0.8 if name.endswith("_alpha") else random.normal() for name in coordinates.names])
    tree = Series(tuple(part.node for part in circuit.parts))
    s = 2j * np.pi * np.geomspace(1e-2, 1e2, 9)
    z, slopes = derivatives(tree, s, coordinates.internal(x), x.size)
    np.testing.assert_allclose(z, impedance(tree, s, coordinates.values(x)), rtol=1e-12)
    for place in range(x.size):
        sides = [
            derivatives(tree, s, coordinates.internal(x + sign * 1e-5 * np.eye(x.size)[place]), x.size)[0] for sign in (1, -1)
        ]
        np.testing.assert_allclose((sides[0] - sides[1]) / 2e-5, slopes[:, place], rtol=1e-6, atol=1e-8 * np.abs(z).max())


def test_a_nested_circuit_is_itself_written_out() -> None:
    values = {"R0": 3.0, "CPE1_Q": 1e-5, "CPE1_alpha": 0.9, "R1": 50.0, "Ws1_R": 80.0, "Ws1_tau": 2.0, "R2": 7.0, "C2": 1e-3}
    tree = Series(tuple(part.node for part in parse("R0-p(CPE1,R1-Ws1-p(R2,C2))").parts))
    branch = 50 + KINDS["Ws"].impedance(S, (80.0, 2.0)) + 1 / (1 / 7 + 1e-3 * S)
    np.testing.assert_allclose(impedance(tree, S, values), 3 + 1 / (1e-5 * S**0.9 + 1 / branch), rtol=1e-12)
    assert Block(tree, values).resistance == pytest.approx(3 + 50 + 80 + 7, rel=1e-6)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("R(RC)", "R0-p(R1,C1)"),
        ("RL(RQ)([RW]Q)", "R0-L0-p(R1,CPE1)-p(R2-W2,CPE2)"),
        ("R{R=25:el}(R{:ct}Q{Y=2E-5F,n=0.9:dl})", "R_el-p(R_ct,CPE_dl)"),
        ("(C[R(RC)])", "p(C1,R1-p(R2,C2))"),
    ],
)
def test_both_notations_mean_the_same(code: str, text: str) -> None:
    found = parse(code)
    assert found.text == text
    assert parse(found.code).text == text and parse(found.text).code == found.code


def test_names_of_parameters_as_others_write_them() -> None:
    circuit = parse("R0-p(R1,CPE1)-Wo2")
    assert parameters(circuit)["tau1"] == "s" and parameters(circuit)["Wo2_R"] == "ohm"
    written = ["CPE1_n", "CPE1_1", "CPE1_0", "CPE1_Y", "Wo2_1", "R0"]
    assert [canonical(name, circuit) for name in written] == ["CPE1_alpha", "CPE1_alpha", "CPE1_Q", "CPE1_Q", "Wo2_tau", "R0"]
    with pytest.raises(InputError, match="parameter = 'R7' is not allowed: the circuit R0-p.R1,CPE1.-Wo2 has R0, R1"):
        canonical("R7", circuit)


def test_limits_as_they_are_typed() -> None:
    circuit = parse("R0-p(R1,CPE1)-C0")
    found = limits_of(["R0 = 0.01 kohm", "C0=2 uF"], ["CPE1_n=0.7:1", "R1=10:"], circuit)
    assert found.fixed == pytest.approx({"R0": 10.0, "C0": 2e-6}) and found.bounds == {
        "CPE1_alpha": (0.7, 1.0),
        "R1": (10.0, np.inf),
    }


@pytest.mark.parametrize(
    ("fix", "bound", "message"),
    [
        (["R0"], [], "a parameter and its value are, such as R1=90"),
        (["R0=5 V"], [], "R0 = '5 V' is not allowed: a number in ohm, or with its unit"),
        (["CPE1_n=high"], [], "CPE1_alpha = 'high' is not allowed: a number"),
        (["R0=5"], ["R0=1:9"], "R0: fixed and bounded at once"),
        ([], ["R0=5"], "a lower and an upper bound, such as"),
        (["R0=-5"], [], "R0 = -5 is not allowed: a number above 0"),
        ([], ["R0=9:1"], "R0 = 9:1 is not allowed: a lower bound, then a higher one"),
        (["R1=1", "tau1=1", "CPE1_Q=1"], [], "R1, CPE1_Q and tau1 are all given: two of them determine the third"),
    ],
)
def test_limits_that_are_none_are_refused(fix: list[str], bound: list[str], message: str) -> None:
    circuit = parse("R0-p(R1,CPE1)-C0")
    with pytest.raises(InputError, match=message):
        Coordinates(circuit, limits_of(fix, bound, circuit))
