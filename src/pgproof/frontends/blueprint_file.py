"""Blueprints as YAML files: what ``advise`` writes, ``compete`` reads and people edit.

A change is written as SQL (``CREATE INDEX ...``), the workload as the name of a file beside the blueprint.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pgproof.errors import ConfigError
from pgproof.frontends.blueprint.problems import Problems
from pgproof.frontends.blueprint.reading import BlueprintFile, read_file
from pgproof.frontends.blueprint.writing import render_blueprint
from pgproof.model.blueprint import Blueprint
from pgproof.stages.capture.files import save_workload
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.stages.capture.spec import WorkloadSpec


def write_blueprint(blueprint: Blueprint, path: Path) -> Path:
    """Write a blueprint and, beside it, its workload.

    Args:
        blueprint: What to write.
        path: Of the YAML file; an existing one is replaced.

    Returns:
        Path of the workload file.

    Raises:
        ConfigError: The folder can't be written.
    """
    workload_path = path.with_name(path.stem + ".workload.json")
    text = render_blueprint(blueprint, workload_path.name, path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_workload(blueprint.workload, workload_path)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} can't be written: {error.strerror}.", hint="Name a file in a folder you may write to."
        ) from error
    return workload_path


def read_blueprint(path: Path) -> Blueprint:
    """Read a blueprint and the workload it names.

    Args:
        path: Of the YAML file.

    Returns:
        The blueprint, complete.

    Raises:
        ConfigError: The file is missing, or something in it is wrong: the message has the place of the first
            problem. Or values of its workload have to come from a database.
    """
    file, blueprint = demand_blueprint(path)
    return replace(blueprint, workload=resolve_generators(None, demand_spec(file)))


def demand_blueprint(path: Path) -> tuple[BlueprintFile, Blueprint]:
    """Read a blueprint; statements whose values come from a database have none yet.

    Raises:
        ConfigError: The file is missing, or something in it is wrong.
    """
    file = read_file(path)
    Problems(str(path), list(file.problems)).refuse()
    assert file.blueprint is not None  # otherwise there would be a problem
    return file, file.blueprint


def demand_spec(file: BlueprintFile) -> WorkloadSpec:
    """Return the workload file of a blueprint that has no problems."""
    assert file.spec is not None
    return file.spec
