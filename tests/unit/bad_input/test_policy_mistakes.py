"""Mistakes in what says when and whether a scheduled pass may change anything: moments, windows, annotations."""

import pytest

from tests.unit.bad_input.conftest import HOST, Validate

FLEET = "apiVersion: reconciler/v1alpha1\nkind: Fleet\nmetadata: {name: a}\nspec:\n"
GOOD = '{days: [mon], from: "22:00", to: "06:00", timezone: Europe/Madrid, disruption: move-live}'


@pytest.mark.parametrize(
    "policy",
    [
        "suspend: true",
        "suspend: {}",
        "suspend: {until: 2026-12-01T06:00:00Z, reason: text}",
        "suspend: {until: 2026-12-01T06:00+01:00}",
        f"windows: [{GOOD}]",
        "windows: [{from: 00:00, to: 24:00}]",
    ],
)
def test_policies_that_are_right(validate: Validate, policy: str) -> None:
    assert validate(f"{FLEET}  {policy}\n").code == 0


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ("suspend: maybe", "boolean"),
        ("suspend: {until: tomorrow}", "not a moment with its zone: 'tomorrow'"),
        ("suspend: {until: 2026-12-01T06:00:00}", "not a moment with its zone"),
        ("suspend: {until: 2026-13-01T06:00:00Z}", "not a moment with its zone"),
        ("suspend: {till: 2026-12-01T06:00:00Z}", "unknown field"),
        ("interval: 1s", "passes are 10s or more apart"),
        (f"windows: [{GOOD.replace('[mon]', '[monday]')}]", "mon"),
        (f"windows: [{GOOD.replace('[mon]', '[]')}]", "at least 1"),
        (f"windows: [{GOOD.replace('06:00', '6')}]", "not a time of the day: '6'"),
        (f"windows: [{GOOD.replace('06:00', '24:01')}]", "not a time of the day"),
        (f"windows: [{GOOD.replace('06:00', '22:00')}]", "the window ends as it begins"),
        (f"windows: [{GOOD.replace('Madrid', 'Nowhere')}]", "not a time zone: 'Europe/Nowhere'"),
        (f"windows: [{GOOD.replace('Europe/Madrid', '../../etc/passwd')}]", "not a time zone"),
        ("windows: [{days: [mon]}]", "is missing"),
        ("mode: automatic", "observe"),
        ("hostFailures: 2", "less than or equal to 1"),
        ("limits: {links: [{moves: 2}]}", "write one of the two"),
        ("limits: {links: [{hosts: all, over: rack}]}", "write one of the two"),
        ("limits: {links: [{hosts: [b]}]}", "no Host named 'b'"),
        ("limits: {links: [{hosts: {matchLabels: {net: b}}}]}", "selects no host"),
        ("limits: {links: [{over: rack}]}", "no Host has a label 'rack'"),
    ],
)
def test_mistakes_of_policy(validate: Validate, policy: str, word: str) -> None:
    said = validate(f"{FLEET}  {policy}\n")
    assert said.code == 1
    assert {at.split(":")[1] for at in said.at} == {"5"}
    assert word in said.messages[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HOST.replace("name: a", "name: a, annotations: {reconciler/mood: apply}"), "unknown annotation 'reconciler"),
        (HOST.replace("name: a", "name: a, annotations: {reconciler/mode: yes}"), "reconciler/mode is 'yes'"),
        (HOST.replace("name: a", "name: a, annotations: {other: 1}"), "must be a mapping of texts"),
        (HOST.replace("name: a", "name: a, annotations: text"), "must be a mapping of texts"),
        (
            FLEET.replace("{name: a}", "{name: a, annotations: {reconciler/mode: observe}}") + "  {}\n",
            "a Fleet has no annotation reconciler/mode",
        ),
    ],
)
def test_mistakes_of_annotations(validate: Validate, text: str, message: str) -> None:
    said = validate(text)
    assert said.code == 1
    assert message in said.messages[0]


def test_annotations_of_others_are_theirs(validate: Validate) -> None:
    text = HOST.replace(
        "name: a", "name: a, annotations: {example.com/x: 'any text, really', reconciler/mode: propose}"
    )
    assert validate(text).code == 0
