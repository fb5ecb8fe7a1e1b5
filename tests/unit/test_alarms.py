"""The declared alarms fit the queues, objectives and words they speak of."""

from iac.local.alarms import expand
from iac.local.ports import ROOT
from iac.local.topology import Topology
from pipeline.contracts.names import Names

TOPOLOGY = Topology(Names("local"))
ALARMS = expand(TOPOLOGY)


def test_every_queue_of_dead_letters_has_an_alarm() -> None:
    dead = {
        f"{name}-dlq" if facts["max_receives"] else name for name, facts in TOPOLOGY.queues.items()
    }
    watched = {a.dimensions["Queue"] for a in ALARMS if a.declared["metric"] == "DeadLetters"}
    assert watched == dead


def test_every_rule_of_every_objective_has_an_alarm_at_its_burn_rate() -> None:
    burns = {
        (a.dimensions["Slo"], a.dimensions["Rule"]): a.threshold
        for a in ALARMS
        if a.declared["metric"] == "BurnRate"
    }
    assert burns == {
        (name, rule["name"]): rule["burn_rate"]
        for name in TOPOLOGY.slo["objectives"]
        for rule in TOPOLOGY.slo["rules"]
    }


def test_the_runbook_has_a_paragraph_for_each_kind_of_alarm_and_each_objective() -> None:
    text = (ROOT / "docs" / "runbooks" / "alarms.md").read_text()
    assert [name for name in TOPOLOGY.alarms if f"\n## {name}\n" not in text] == []
    assert [name for name in TOPOLOGY.slo["objectives"] if f"**{name}**" not in text] == []


def test_names_are_unique_and_short_enough() -> None:
    names = [alarm.name for alarm in ALARMS]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 255
