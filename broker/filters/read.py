"""Filter files -> filters, and everything that is wrong or doubtful in any of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISCHR, S_ISFIFO

import pyarrow as pa
from pydantic import ValidationError

from broker._validation import findings_of
from broker._yaml import Document, YamlError, read_document
from broker.filters._file import FilterFile
from broker.filters.check import check_condition
from broker.filters.definition import Filter, SavedValue
from broker.filters.kinds import Columns
from broker.filters.limits import Limits
from broker.filters.regions import Region
from broker.filters.term import Term
from broker.filters.values import KEY, Values, as_written, read_values
from broker.findings import Finding, did_you_mean, in_order
from schemas.annotation import EXPLANATION

LIGHT_CURVE = "lightCurve"


def read_filters(files: Sequence[Path], schema: pa.Schema) -> tuple[tuple[Filter, ...], list[Finding]]:
    """Read and check files, each for itself and then together.

    Parameters
    ----------
    files : a filter each.
    schema : the annotation columns that conditions may use.

    Returns
    -------
    filters : those without errors, sorted by name.
    findings : errors and warnings, in the order of the files and of their lines.
    """
    filters: dict[str, Filter] = {}
    findings: list[Finding] = []
    taken: dict[str, str] = {}
    for file in files:
        read = read_file(file, schema)
        findings.extend(read.findings)
        if read.name is not None:
            clash = taken.setdefault(read.name.lower(), str(file))
            if clash != str(file):
                findings.append(read.taken(clash))
                continue
        if read.filter:
            filters[read.filter.name] = read.filter
    return tuple(filters[name] for name in sorted(filters)), findings


@dataclass(frozen=True, eq=False)
class FilterRead:
    """What a file holds.

    Parameters
    ----------
    file : its path.
    filter : None where the file has errors.
    findings : errors and warnings, in the order of their lines.
    document : None where the file isn't a YAML mapping.
    """

    file: Path
    filter: Filter | None
    findings: tuple[Finding, ...]
    document: Document | None = None

    @property
    def text(self) -> str:
        """The whole file; empty where it can't be read."""
        return self.document.text if self.document else ""

    @property
    def name(self) -> str | None:
        """The name that it gives its filter, whatever else is wrong with it."""
        name = self.document.data.get("name") if self.document else None
        return name if isinstance(name, str) else None

    @property
    def mocs(self) -> tuple[str, ...]:
        """The MOC files that it refers to, as written."""
        regions = self.document.data.get("regions") if self.document else None
        entries = [entry for entry in regions if isinstance(entry, dict)] if isinstance(regions, list) else []
        return tuple(entry["moc"] for entry in entries if isinstance(entry.get("moc"), str))

    def taken(self, by: str) -> Finding:
        """That another file has the name of its filter."""
        assert self.document is not None  # noqa: S101 - it has a name
        hint = "names must differ in more than upper and lower case: each becomes a folder and a topic"
        return self.document.at(("name",), f"the name {self.name!r} is taken by {by}", hint)


def read_file(file: Path, schema: pa.Schema) -> FilterRead:
    """Read and check one file; `schema` as of `read_filters`."""
    if _has_no_end(file):
        return FilterRead(file, None, (Finding(str(file), "not a file, but a pipe or a device"),))
    try:
        document = read_document(file)
    except YamlError as error:
        return FilterRead(file, None, (error.finding,))
    made, findings = _checked(document, file.parent, schema)
    return FilterRead(file, made, tuple(in_order(findings)), document)


def _has_no_end(file: Path) -> bool:
    """Whether it is a pipe or a device, which would be waited for, or read, without end."""
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):  # reading it tells why
        return False
    return S_ISFIFO(mode) or S_ISCHR(mode)


def _checked(document: Document, folder: Path, schema: pa.Schema) -> tuple[Filter | None, list[Finding]]:
    data = dict(document.data)
    # An unquoted 1.10 is the number 1.1 to YAML; a version is what was written.
    if isinstance(data.get("version"), int | float) and not isinstance(data["version"], bool):
        data["version"] = document.scalar(("version",))
    if isinstance(data.get(KEY), dict):
        data[KEY] = as_written(document)
    values = read_values(document, schema)
    term, findings = _condition(document, schema, values)
    try:
        entry = FilterFile.model_validate(data)
    except ValidationError as error:
        return None, [*findings_of(document, FilterFile, error), *findings]
    regions, wrong_regions = _regions(document, entry, folder)
    columns, wrong_columns = _columns(document, entry, schema)
    findings = [*findings, *wrong_regions, *wrong_columns]
    if term is None or values.findings or wrong_regions or wrong_columns:
        return None, findings
    return _made(entry, term, regions, columns, values.saved), findings


def _condition(document: Document, schema: pa.Schema, values: Values) -> tuple[Term | None, list[Finding]]:
    """The condition, and what is wrong or doubtful about it or the values that it may use."""
    text = document.data.get("condition")
    if not isinstance(text, str):
        return None, list(values.findings)  # the file's types are checked elsewhere
    checked, place = check_condition(text, schema, values.names), ("condition",)
    problems = [document.within(place, p.span, p.message, p.hint) for p in checked.problems]
    if checked.term is None or values.findings:
        return checked.term, [*values.findings, *problems]
    doubts = [document.within(place, p.span, p.message, p.hint) for p in checked.doubts]
    idle = [each.name for each in values.saved if each.name.lower() not in values.uses | checked.uses]
    doubts += [document.at((KEY, name), f"nothing uses the value {name!r}", key=True) for name in idle]
    return checked.term, [replace(doubt, warning=True) for doubt in doubts]


def _regions(document: Document, entry: FilterFile, folder: Path) -> tuple[tuple[Region, ...], list[Finding]]:
    regions, findings = [], []
    for k, region in enumerate(entry.regions or ()):
        try:
            regions.append(region.region(folder))
        except (OSError, ValueError) as error:
            hint = "a MOC lies in the filter's own folder, or in one below; its path counts from there"
            findings.append(document.at(("regions", k, "moc"), f"regions[{k}].moc: {error}", hint))
    return tuple(regions), findings


def _columns(document: Document, entry: FilterFile, schema: pa.Schema) -> tuple[tuple[str, ...], list[Finding]]:
    columns, findings = Columns(schema), []
    found: dict[str, None] = {}
    for k, written in enumerate(entry.outputs.columns):
        name = columns.find(written)
        if name is None:
            hint = did_you_mean(written, schema.names, "`boreal filter fields` lists the columns")
            if written.casefold() == EXPLANATION.name:
                hint = "a run has it whose configuration has the key `explain`"
            findings.append(document.at(("outputs", "columns", k), f"unknown column {written!r}", hint))
        else:
            found[name] = None
    if entry.outputs.light_curve:
        found[LIGHT_CURVE] = None
    return tuple(found), findings


def _made(
    entry: FilterFile,
    term: Term,
    regions: tuple[Region, ...],
    columns: tuple[str, ...],
    values: tuple[SavedValue, ...],
) -> Filter:
    limits = entry.limits
    return Filter(
        name=entry.name,
        owner=entry.owner,
        condition=entry.condition,
        term=term,
        version=entry.version,
        description=entry.description,
        regions=regions,
        limits=Limits(limits.per_night, limits.per_object, limits.cooldown_days),
        formats=tuple(dict.fromkeys(entry.outputs.formats)),
        columns=columns,
        values=values,
    )
