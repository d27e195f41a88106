"""Operator classes that extensions bring."""

from __future__ import annotations

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateExtension


def operator_class(
    name: str, extension_name: str, catalog: Catalog
) -> tuple[str, tuple[CreateExtension, ...]]:
    """Return how to write an extension's operator class, and what must be installed before.

    Args:
        name: Of the class.
        extension_name: Of its extension, installed or available.
        catalog: Tells whether it is installed, and where.

    Returns:
        The class with its schema where the search path does not lead there.
    """
    extension = catalog.extension(extension_name)
    if extension is None or not extension.installed_version:
        return name, (CreateExtension(extension_name),)
    is_hidden = extension.schema and extension.schema not in catalog.search_path
    return (f"{extension.schema}.{name}" if is_hidden else name), ()
