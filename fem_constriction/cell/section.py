"""A part of the cell file: what all sections have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.errors import ConstrictionError


def _with_a_key(data: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
    """What a library raises while a section is checked is a fault of that section: it reaches nobody without its key.

    Around the whole section, its own checks among them, which a validator of this class would not be.
    """
    try:
        return handler(data)
    except (ValueError, AssertionError, ConstrictionError, MemoryError):
        raise  # the first two are what pydantic collects itself
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Public(ModelMetaclass):
    """`dir()` and `help()` of a section show what is its own, and nothing of the library that validates it."""

    def __dir__(cls) -> list[str]:  # noqa: N805
        names = [name for name in super().__dir__() if not name.startswith("__pydantic_")]
        behind = _HIDDEN | getattr(cls, "_behind", frozenset())
        return [name for name in names if name in ("__doc__", "__module__") or name not in behind]


_HIDDEN = frozenset(dir(BaseModel)) | {"model_fields", "model_computed_fields", "model_config", "_abc_impl"}
_HIDDEN |= {"__class_vars__", "__private_attributes__", "__signature__", "__weakref__"}


class Section(BaseModel, metaclass=_Public):
    """A part of the cell file: frozen, no unknown keys; None stands for a key left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __dir__(self) -> list[str]:
        return [*type(self).model_fields, *dir(type(self))]

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner: dict[str, Any] = dict(handler(source))
        if inner.get("function", {}).get("function") is _with_a_key:
            return cast(CoreSchema, inner)
        name = inner.pop("ref", None)  # under which the JSON schema has the section
        return core_schema.no_info_wrap_validator_function(_with_a_key, cast(CoreSchema, inner), ref=name)


class OneOrSeveral:
    """A pydantic field of a list of sections, [[...]], that takes one section, [...], as a list of it."""

    @staticmethod
    def _listed(value: Any) -> Any:
        return (value,) if isinstance(value, (Mapping, BaseModel)) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._listed, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(core)
        return {"anyOf": [several["items"], several]}
