"""The API's endpoints for people, read from the same schema that machines read."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@dataclass(frozen=True, slots=True)
class Asked:
    """One query parameter."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address with one method."""

    method: str
    path: str
    description: str
    parameters: tuple[Asked, ...]
    keys: tuple[str, ...]
    body: tuple[str, ...]


@cache
def listed() -> tuple[Endpoint, ...]:
    """Every endpoint; the schema is a function of the code, so it is read once."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found = [
        _endpoint(method, path, said, schema)
        for path, methods in schema["paths"].items()
        for method, said in methods.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.method != "GET", one.path)))


def _endpoint(method: str, path: str, said: dict[str, Any], schema: dict[str, Any]) -> Endpoint:
    asked = tuple(
        Asked(one["name"], _type(one["schema"]), one.get("description", ""))
        for one in said.get("parameters", ())
        if one["in"] == "query"
    )
    good = next((found for code, found in said["responses"].items() if code in ("200", "202")), {})
    return Endpoint(
        method.upper(),
        path,
        said.get("description", ""),
        asked,
        _keys(_shape(good), schema),
        _keys(_shape(said.get("requestBody", {})), schema),
    )


def _shape(holder: dict[str, Any]) -> dict[str, Any]:
    content = holder.get("content", {})
    return content.get("application/json", {}).get("schema", {})


def _keys(shape: dict[str, Any], schema: dict[str, Any]) -> tuple[str, ...]:
    """Names of an object's keys; of a list's envelope, those of one row."""
    properties = _resolve(shape, schema).get("properties", {})
    if "results" in properties:
        row = properties["results"].get("items", {})
        return tuple(_resolve(row, schema).get("properties", {}))
    return tuple(properties)


def _resolve(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = shape.get("$ref", "").rpartition("/")[2]
    return schema["components"]["schemas"][name] if name else shape


def _type(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return " | ".join(str(value) for value in shape["enum"])
    return str(shape.get("type", "string"))
