import fastavro
import pytest

from schemas.registry import BundledRegistry, UnknownSchemaError, WriterSchema
from schemas.surveys import discover

SCHEMAS = list(BundledRegistry())


def test_the_bundled_schemas_are_all_there(registry: BundledRegistry) -> None:
    assert {(schema.survey, schema.version) for schema in registry} == {
        *(("lsst", v) for v in ("7.0", "7.1", "7.2", "7.3", "7.4", "8.0", "9.0", "10.0", "11.0")),
        *(("ztf", v) for v in ("3.0", "3.1", "3.2", "3.3", "4.01", "4.02")),
        *(("elasticc", v) for v in ("0.9", "0.9.1")),
        *(("desc", v) for v in ("0.9.1", "10.0.0")),
    }


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_a_schema_parses_and_is_found_by_all_that_names_it(schema: WriterSchema, registry: BundledRegistry) -> None:
    fastavro.parse_schema(dict(schema.json))
    assert schema.parsed["type"] == "record"
    assert registry.by_name(schema.name) is schema or registry.by_name(schema.name) == schema
    if schema.survey in discover():
        assert registry.by_version(schema.survey, schema.version).name == schema.name
    if schema.id is not None:
        assert registry.by_id(schema.id).name == schema.name


@pytest.mark.parametrize(("schema_id", "version"), [(700, "7.0"), (704, "7.4"), (1000, "10.0"), (1100, "11.0")])
def test_an_lsst_id_is_100_major_plus_minor(registry: BundledRegistry, schema_id: int, version: str) -> None:
    schema = registry.by_id(schema_id)
    assert (schema.survey, schema.version, schema.id) == ("lsst", version, schema_id)


def test_versions_are_in_order(registry: BundledRegistry) -> None:
    versions = [schema.version for schema in registry if schema.survey == "lsst"]
    assert versions == ["7.0", "7.1", "7.2", "7.3", "7.4", "8.0", "9.0", "10.0", "11.0"]


def test_unknown_ids_and_names_are_told_with_the_known_ones(registry: BundledRegistry) -> None:
    with pytest.raises(UnknownSchemaError, match=r"id 705; known ids: .*704, 800, 900, 1000, 1100"):
        registry.by_id(705)
    with pytest.raises(UnknownSchemaError, match=r"'lsst.v12_0.alert'; known names: .*lsst.v11_0.alert"):
        registry.by_version("lsst", "12.0")


def test_fields_are_listed_with_their_types(registry: BundledRegistry) -> None:
    fields = dict(registry.by_id(1000).fields)
    assert fields["diaSource.midpointMjdTai"] == "double"
    assert fields["prvDiaSources"] == "null | array of lsst.v10_0.diaSource"
    assert fields["prvDiaForcedSources.psfFlux"] == "null | float"
    assert sum(path.startswith("diaSource.") for path in fields) == 98
    assert dict(registry.by_id(800).fields)["diaSource.time_processed"] == "timestamp-micros"
