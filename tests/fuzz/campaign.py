"""Send generated requests to a running server, and collect what its OpenAPI document does not allow."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

Value = str | int
DOCUMENT = "/api/v1/schema/"
# What no schema can say: a manifest that breaks a rule, a file larger than this installation takes.
TAKEN_BUT_REFUSED = ["2xx", "3xx", "401", "403", "404", "409", "413", "422", "429"]
# A suite scores images of one size; which dataset has which is not in the schema.
SUITES_OF_ANOTHER_SIZE = {
    "include-operation-id": "rescorePhase",
    "checks": {"positive_data_acceptance": {"expected-statuses": [*TAKEN_BUT_REFUSED, "400"]}},
}


@dataclass
class Outcome:
    """What a campaign saw: cases by operation and by status, and each distinct fault once."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Count the cases."""
        return self.cases.total()


@dataclass(frozen=True)
class Plan:
    """How much is sent: `examples` cases an operation, `sequences` that follow links from answers to requests.

    With `has_edges` every operation also gets the edges of its schema, one by one; they are most of all cases.
    """

    examples: int
    sequences: int
    has_edges: bool
    seed: int


def fuzz(server: str, plan: Plan, *, headers: Mapping[str, str], known: Mapping[str, list[Value]]) -> Outcome:
    """Send generated requests with these headers, all checks and stateful links on.

    `known` are values that exist, by the name of the parameter; half of the cases use them.
    """
    schema = schemathesis.openapi.from_url(server + DOCUMENT, config=_configuration(known, plan))
    schema.config.update(headers=dict(headers))
    outcome = Outcome()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(outcome, event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            outcome.faults[f"the campaign itself: {event}"] = ""
    return outcome


def _configuration(known: Mapping[str, list[Value]], plan: Plan) -> SchemathesisConfig:
    bound = {name: {"dictionary": name.replace(".", "_"), "probability": 0.5} for name in known}
    return SchemathesisConfig.from_dict(
        {
            "seed": plan.seed,
            "dictionaries": {name.replace(".", "_"): {"values": values} for name, values in known.items()},
            "parameters": bound,
            "generation": {"max-examples": plan.examples, "database": "none", "no-shrink": True},
            "phases": {
                "coverage": {"enabled": plan.has_edges},
                "stateful": {"generation": {"max-examples": plan.sequences}},
            },
            "checks": {"positive_data_acceptance": {"expected-statuses": TAKEN_BUT_REFUSED}},
            "operations": [SUITES_OF_ANOTHER_SIZE],
            "continue-on-failure": True,
        }
    )


def _note(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for key, node in recorder.cases.items():
        if interaction := recorder.interactions.get(key):
            outcome.cases[node.value.operation.label] += 1
            if interaction.response is not None:
                outcome.statuses[interaction.response.status_code] += 1
    for key, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                label = recorder.cases[key].value.operation.label
                outcome.faults.setdefault(
                    f"{label}: {check.name}: {failure.title}",
                    f"{failure.message}\n{check.failure_info.code_sample}",
                )


def describe(outcome: Outcome) -> str:
    """Tell the outcome in a few lines."""
    lines = [f"{outcome.total} cases, statuses {dict(sorted(outcome.statuses.items()))}"]
    return "\n".join([*lines, *(f"{title}\n{text}" for title, text in sorted(outcome.faults.items()))])


def is_about_a_made_up_cursor(status: int, body: Any) -> bool:
    """Tell the one refusal that the schema cannot announce: cursors are signed, and a made-up one is none."""
    return status == 400 and list(body["error"]["fields"]) == ["cursor"]
