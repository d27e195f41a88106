"""JSON Schemas of every ``--json`` output and every file format, generated from the dataclasses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pgproof.frontends import competition_documents, documents
from pgproof.frontends.blueprint.checking import BlueprintCheckDocument
from pgproof.frontends.blueprint.document import BlueprintDocument
from pgproof.frontends.blueprint.schema import blueprint_schema
from pgproof.model.workload import Workload

SCHEMAS: dict[str, type] = {
    "error": documents.ErrorDocument,
    "check": documents.CheckDocument,
    "capture": documents.CaptureDocument,
    "advise": documents.AdviseDocument,
    "compete": competition_documents.CompetitionDocument,
    "rollout": documents.RolloutDocument,
    "demo": documents.DemoDocument,
    "selfcheck": documents.SelfcheckDocument,
    "runs": documents.RunsDocument,
    "synth": documents.SynthDocument,
    "workload": Workload,
    "blueprint": BlueprintDocument,
    "blueprint-check": BlueprintCheckDocument,
}


def render_schema(name: str) -> str:
    """Return the JSON Schema of that name as text with a final newline; KeyError when there is none."""
    kind = SCHEMAS[name]
    schema: dict[str, Any]
    if kind is BlueprintDocument:
        schema = blueprint_schema()  # of the file as people write it, which pydantic does not read
    else:
        schema = TypeAdapter(kind).json_schema(mode="serialization")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"pgproof {name}", **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write every schema to ``folder`` as NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(render_schema(name), encoding="utf-8")
