"""What may stand in a filter's YAML file? The keys, their types and their ranges."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from broker._validation import Strict
from broker.filters.regions import Box, Cone, Galactic, Moc, Polygon, Region

MAX_NAME, MAX_VALUES, MAX_MOCS = 64, 100, 10
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_NAME - 1}}}")

RightAscension = Annotated[float, Field(ge=0, le=360)]
Declination = Annotated[float, Field(ge=-90, le=90)]
Format = Literal["jsonl", "avro"]
FULL_CIRCLE, POLE = 360, 90
Pair = Field(min_length=2, max_length=2)
Corner = Annotated[list[float], Pair]
Count = Annotated[int, Field(gt=0)]


class ConeEntry(Strict):
    """A circle on the sky [deg]."""

    ra: RightAscension
    dec: Declination
    radius: Annotated[float, Field(gt=0, le=180)]


class BoxEntry(Strict):
    """Between two meridians and two parallels [deg]."""

    ra: Annotated[list[RightAscension], Pair]
    dec: Annotated[list[Declination], Pair]

    @model_validator(mode="after")
    def _has_an_inside(self) -> Self:
        if self.ra[0] == self.ra[1]:
            raise ValueError("ra goes from one meridian eastward to another; for all of them write [0, 360]")
        if self.dec[0] >= self.dec[1]:
            raise ValueError(f"dec goes from south to north, but {self.dec[0]} isn't below {self.dec[1]}")
        return self


class GalacticEntry(Strict):
    """Distance from the galactic plane [deg]."""

    min_abs_b: Annotated[float, Field(alias="minAbsB", ge=0, lt=90)] = 0.0
    max_abs_b: Annotated[float, Field(alias="maxAbsB", gt=0, le=90)] = 90.0

    @model_validator(mode="after")
    def _has_an_inside(self) -> Self:
        if self.min_abs_b >= self.max_abs_b:
            raise ValueError(f"minAbsB {self.min_abs_b} isn't below maxAbsB {self.max_abs_b}")
        return self


class RegionEntry(Strict):
    """One region; exactly one of the keys."""

    cone: ConeEntry | None = None
    box: BoxEntry | None = None
    polygon: Annotated[list[Corner], Field(min_length=3, max_length=1000)] | None = None
    galactic: GalacticEntry | None = None
    moc: str | None = None

    @field_validator("polygon")
    @classmethod
    def _has_corners_on_the_sky(cls, corners: list[list[float]] | None) -> list[list[float]] | None:
        for ra, dec in corners or ():
            if not (0 <= ra <= FULL_CIRCLE and abs(dec) <= POLE):
                raise ValueError(f"corner [{ra}, {dec}] isn't [ra, dec] with ra in 0 to 360 and dec in -90 to 90")
        flaw = Polygon(tuple((ra, dec) for ra, dec in corners)).flaw() if corners else None
        if flaw:
            raise ValueError(f"this polygon has no inside: {flaw}")
        return corners

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1 or all(getattr(self, name) is None for name in self.model_fields_set):
            given = " and ".join(sorted(self.model_fields_set)) or "none"
            raise ValueError(f"a region has one of {', '.join(RegionEntry.model_fields)}; given: {given}")
        return self

    def region(self, folder: Path) -> Region:
        """The region; a MOC's path counts from `folder`.

        Raises
        ------
        OSError, ValueError
            If the MOC can't be read.
        """
        if self.cone:
            return Cone(self.cone.ra, self.cone.dec, self.cone.radius)
        if self.box:
            return Box((self.box.ra[0], self.box.ra[1]), (self.box.dec[0], self.box.dec[1]))
        if self.polygon:
            return Polygon(tuple((ra, dec) for ra, dec in self.polygon))
        if self.galactic:
            return Galactic(self.galactic.min_abs_b, self.galactic.max_abs_b)
        return Moc.load(_below(folder, str(self.moc)))


def _below(folder: Path, written: str) -> Path:
    """A file beside the filter's file, or in a folder there.

    Raises
    ------
    ValueError
        If the path leads elsewhere, be it through a link.
    """
    path = folder / written
    try:
        end = path.resolve()
    except RuntimeError:  # of links that lead in a circle
        raise ValueError(f"{written} leads nowhere") from None
    if ".." in Path(written).parts or not end.is_relative_to(folder.resolve()):
        raise ValueError(f"{written} leads out of the filter's own folder")
    return path


class LimitsEntry(Strict):
    """How much may be sent."""

    per_night: Annotated[Count | None, Field(alias="perNight")] = None
    per_object: Annotated[Count | None, Field(alias="perObject")] = None
    cooldown_days: Annotated[float | None, Field(alias="cooldownDays", gt=0)] = None


class OutputsEntry(Strict):
    """What is sent."""

    formats: Annotated[list[Format], Field(min_length=1)] = Field(default_factory=lambda: list(get_args(Format)))
    columns: list[str] = Field(default_factory=list)
    light_curve: Annotated[bool, Field(alias="lightCurve")] = False


class FilterFile(Strict):
    """A subscriber's filter as its file has it."""

    name: str
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    condition: str
    version: Annotated[str, Field(min_length=1, max_length=64)] = "1"
    description: str = ""
    values: Annotated[dict[str, str], Field(max_length=MAX_VALUES)] = Field(default_factory=dict)
    regions: Annotated[list[RegionEntry], Field(min_length=1, max_length=1000)] | None = None
    limits: LimitsEntry = LimitsEntry()
    outputs: OutputsEntry = OutputsEntry()

    @field_validator("regions")
    @classmethod
    def _has_few_mocs(cls, regions: list[RegionEntry] | None) -> list[RegionEntry] | None:
        count = sum(region.moc is not None for region in regions or ())
        if count > MAX_MOCS:
            raise ValueError(f"at most {MAX_MOCS} of them are MOCs, not {count}; join them into one file")
        return regions

    @field_validator("name")
    @classmethod
    def _is_a_safe_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} becomes the name of a folder and a topic: use letters, digits, - and _, "
                f"a letter or digit first, at most {MAX_NAME} in all"
            )
        return name
