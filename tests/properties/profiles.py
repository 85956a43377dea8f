"""Profiles of Hypothesis: ``dev`` takes seconds, ``ci`` minutes and the same examples each time,
``nightly`` long. Chosen by ``--hypothesis-profile``, or by DAL_HYPOTHESIS_PROFILE.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings

# A step is tens of statements: too slow for the default, and not by a fault.
_CHECKS: Final = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("dev", max_examples=100, deadline=None, suppress_health_check=_CHECKS)
settings.register_profile(
    "ci",
    max_examples=400,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=_CHECKS,
)
settings.register_profile(
    "nightly",
    max_examples=5000,
    deadline=None,
    print_blob=True,
    suppress_health_check=_CHECKS,
)

# What talks to a server has fewer: (examples of a property, runs of a machine, steps of a run).
_AT_SERVER: Final = {"dev": (25, 6, 14), "ci": (100, 16, 30), "nightly": (1500, 500, 60)}


def load(config: pytest.Config) -> None:
    """The profile of the environment, unless the command line names one."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile(os.environ.get("DAL_HYPOTHESIS_PROFILE", "dev"))


def _numbers() -> tuple[int, int, int]:
    return _AT_SERVER.get(settings.get_current_profile_name(), _AT_SERVER["dev"])


def property_settings() -> settings:
    """For a property whose examples are statements."""
    return settings(max_examples=_numbers()[0])


def machine_settings() -> settings:
    """For a machine."""
    _, runs, steps = _numbers()
    # Shrinking runs a machine a hundred times: worth it where nobody waits.
    waits = settings.get_current_profile_name() not in ("ci", "nightly")
    left_out = {Phase.shrink, Phase.explain} if waits else set()
    phases = tuple(phase for phase in Phase if phase not in left_out)
    return settings(max_examples=runs, stateful_step_count=steps, phases=phases)
