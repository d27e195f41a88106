"""ALTER TABLE, ALTER DATABASE and ALTER SYSTEM, as far as they set one thing: read as changes."""

from __future__ import annotations

from pgproof.model.change import SetSetting, SetStatisticsTarget, SetTableOption, SettingScope
from pgproof.model.relation import RelationName
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, unwrap


def parse_alter_table(message: Message, default_schema: str) -> SetStatisticsTarget | SetTableOption | None:
    """Read an ``AlterTableStmt`` with one command.

    Returns:
        The change; None where it is none of ours: more than one command or parameter, or another command.
    """
    if len(message.cmds) != 1 or enum_name("ObjectType", message.objtype) not in (
        "OBJECT_TABLE",
        "OBJECT_MATVIEW",
    ):
        return None
    table = RelationName(message.relation.schemaname or default_schema, message.relation.relname)
    command = unwrap(message.cmds[0])
    match enum_name("AlterTableType", command.subtype):
        case "AT_SetStatistics":
            target = _value(getattr(command, "def"))
            if command.name and target is not None and target.isdigit():
                return SetStatisticsTarget(table, command.name, int(target))
        case "AT_SetRelOptions":
            return _option(table, unwrap(getattr(command, "def")))
    return None


def _option(table: RelationName, options: Message) -> SetTableOption | None:
    if kind_of(options) != "List" or len(options.items) != 1:
        return None
    option = unwrap(options.items[0])
    value = _value(option.arg) if is_set(option, "arg") else "true"
    if option.defnamespace or value is None:
        return None
    return SetTableOption(table, option.defname, value)


def parse_setting(message: Message) -> SetSetting | None:
    """Read an ``AlterDatabaseSetStmt`` or an ``AlterSystemStmt``.

    Returns:
        The change; None where it takes a value out, copies the session's, or has a syntax of its own.
    """
    assignment = message.setstmt
    if enum_name("VariableSetKind", assignment.kind) != "VAR_SET_VALUE":
        return None
    values = [_value(argument) for argument in assignment.args]
    if not values or None in values:
        return None
    texts = [value or "" for value in values]
    whole = kind_of(message) == "AlterSystemStmt"
    return SetSetting(
        name=assignment.name,
        value=texts[0] if len(texts) == 1 else ", ".join(quote_identifier(text) for text in texts),
        scope=SettingScope.SYSTEM if whole else SettingScope.DATABASE,
        database="" if whole else message.dbname,
    )


def _value(node: Message) -> str | None:
    """Return a constant as text; None for anything else."""
    value = unwrap(node)
    match kind_of(value):
        case "A_Const":
            return _constant(value)
        case "Integer":
            return str(value.ival)
        case "Float":
            return str(value.fval)
        case "String":
            return str(value.sval)
        case "Boolean":
            return "true" if value.boolval else "false"
        case "TypeName":  # a bare word after "=", such as on or auto
            return str(unwrap(value.names[-1]).sval) if len(value.names) == 1 else None
    return None


def _constant(value: Message) -> str | None:
    match value.WhichOneof("val"):
        case "ival":
            return str(value.ival.ival)
        case "fval":
            return str(value.fval.fval)
        case "sval":
            return str(value.sval.sval)
        case "boolval":
            return "on" if value.boolval.boolval else "off"
    return None
