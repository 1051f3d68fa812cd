"""What is an annotation? One row per annotated alert: who it is, what it was classified as, and by what.

Names are those that subscribers see (camelCase, the survey's own words); units and meanings travel in the
Arrow field metadata, so that the guide, `boreal filter fields` and the Parquet files say the same.
"""

from collections.abc import Sequence

import pyarrow as pa

from schemas.alerts import FLAGS, LIGHT_CURVE_POINT

CLASSIFICATION = pa.struct(
    [
        pa.field("classId", pa.int32(), nullable=False),
        pa.field("className", pa.utf8(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
    ]
)

CLASSIFIER = pa.struct(
    [
        pa.field("name", pa.utf8(), nullable=False),
        pa.field("version", pa.utf8(), nullable=False),
        pa.field("bundleSha256", pa.utf8(), nullable=False),
    ]
)

BROKER = pa.struct(
    [
        pa.field("name", pa.utf8(), nullable=False),
        pa.field("version", pa.utf8(), nullable=False),
        pa.field("featuresSha256", pa.utf8(), nullable=False),
    ]
)


def column(name: str, kind: pa.DataType, unit: str, meaning: str, *, known: bool = False) -> pa.Field:
    """A field that carries its unit and meaning; `known` says that it is never null."""
    return pa.field(name, kind, nullable=not known, metadata={"unit": unit, "meaning": meaning})


def camel_case(name: str) -> str:
    """``flag_psf_flux`` as subscribers see it: ``flagPsfFlux``."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


FLAG_MEANINGS = {
    "is_dipole": "fitted better by a dipole than by a point source",
    "is_negative": "fainter than in the template",
    "flag_psf_flux": "the point-source flux is unreliable",
    "flag_centroid": "the centroid is unreliable",
    "flag_shape": "the shape is unreliable",
    "flag_pixels": "any pixel flag is set",
    "flag_bad": "a bad pixel in the footprint",
    "flag_cosmic_ray": "a cosmic ray in the footprint",
    "flag_edge": "touches the edge of the exposure",
    "flag_interpolated": "an interpolated pixel in the footprint",
    "flag_saturated": "a saturated pixel in the footprint",
    "flag_suspect": "a suspect pixel in the footprint",
    "flag_streak": "a streak crosses the footprint",
    "flag_injected": "a synthetic source was injected here",
}

IDENTITY = (
    column("survey", pa.utf8(), "", "survey that sent the alert: lsst, ztf or elasticc", known=True),
    column("schemaId", pa.int32(), "", "writer schema id of the packet's wire format; null for object containers"),
    column("schemaVersion", pa.utf8(), "", "version of the packet's schema, as the survey writes it", known=True),
    column("alertId", pa.int64(), "", "the survey's id of the alert", known=True),
    column("diaSourceId", pa.int64(), "", "id of the difference-image source that triggered the alert", known=True),
    column("objectId", pa.utf8(), "", "id of the object; null where none is associated"),
    column("visit", pa.int64(), "", "number of the visit; null where the survey doesn't number them"),
    column("detector", pa.int32(), "", "number of the detector within the camera; null as visit is"),
    column("mjdTai", pa.float64(), "d", "MJD TAI of the triggering source", known=True),
    column("night", pa.int32(), "", "observing night as yyyymmdd: the date 12 hours before mjdTai", known=True),
)

MEASUREMENT = (
    column("ra", pa.float64(), "deg", "right ascension, ICRS", known=True),
    column("dec", pa.float64(), "deg", "declination, ICRS", known=True),
    column("galLon", pa.float64(), "deg", "galactic longitude", known=True),
    column("galLat", pa.float64(), "deg", "galactic latitude", known=True),
    column("band", pa.utf8(), "", "band of the triggering source: u, g, r, i, z or y"),
    column("psfFlux", pa.float64(), "nJy", "difference flux of the triggering source"),
    column("psfFluxErr", pa.float64(), "nJy", "standard error of psfFlux"),
    column("snr", pa.float64(), "", "signal-to-noise ratio of the triggering source"),
    column("hostPhotoz", pa.float64(), "", "photometric redshift of the host galaxy"),
    column("hostPhotozErr", pa.float64(), "", "standard error of hostPhotoz"),
    column("milkyWayEbv", pa.float64(), "mag", "reddening E(B-V) by the Milky Way"),
    column("isSolarSystem", pa.bool_(), "", "a known solar-system object", known=True),
    column("reliability", pa.float64(), "", "the survey's real-bogus score, 0 to 1"),
    column("extendedness", pa.float64(), "", "0 for a point source, 1 for an extended one"),
    *(column(camel_case(flag), pa.bool_(), "", FLAG_MEANINGS[flag]) for flag in FLAGS),
    column("nPoints", pa.int32(), "", "usable light-curve points", known=True),
    column("nDetections", pa.int32(), "", "light-curve points that are detections", known=True),
    column("nDroppedPoints", pa.int32(), "", "light-curve points that could not be used", known=True),
    column("firstDetectionMjdTai", pa.float64(), "d", "MJD TAI of the first detection in the packet"),
    column("daysSinceFirstDetection", pa.float64(), "d", "mjdTai minus firstDetectionMjdTai"),
)

VERDICT = (
    column("classId", pa.int32(), "", "DESC id of the best class; 300 for not classified", known=True),
    column("className", pa.utf8(), "", "name of the best class", known=True),
    column("probability", pa.float64(), "", "probability of the best class", known=True),
    column(
        "novelty",
        pa.float64(),
        "",
        "how unlike the training light curves: above 1 for 1 in 100 of them; not a probability",
    ),
    column("notClassifiedReason", pa.utf8(), "", "why the alert is NotClassified; null when it is classified"),
)

PROVENANCE = (
    column(
        "classifications", pa.list_(pa.field("element", CLASSIFICATION, nullable=False)), "", "every class", known=True
    ),
    column("classifier", CLASSIFIER, "", "model bundle that classified", known=True),
    column("broker", BROKER, "", "code that annotated", known=True),
    column(
        "lightCurve",
        pa.list_(pa.field("element", LIGHT_CURVE_POINT, nullable=False)),
        "",
        "light curve [nJy]",
        known=True,
    ),
    column("origin", pa.utf8(), "", "where the packet came from", known=True),
    column(
        "matchedFilters", pa.list_(pa.field("element", pa.utf8(), nullable=False)), "", "filters it passed", known=True
    ),
)

EXPLANATION = column(
    "explanation",
    pa.list_(
        pa.field(
            "element",
            pa.struct(
                [
                    pa.field("feature", pa.utf8(), nullable=False),
                    pa.field("value", pa.float32()),
                    pa.field("contribution", pa.float64(), nullable=False),
                ]
            ),
            nullable=False,
        )
    ),
    "",
    "what features say for the best class in the trees, the strongest first; null where there is nothing to say",
)
"""A column of annotations where the configuration asks for it."""

DELIVERED_TO = column(
    "deliveredTo",
    pa.list_(pa.field("element", pa.utf8(), nullable=False)),
    "",
    "filters that it was sent for, after their limits",
    known=True,
)

PUBLISHED = column(
    "kafkaTimestamp",
    pa.int64(),
    "ms",
    "Kafka's time stamp of the message that it came in, since 1970, UTC; null for files",
)


def annotation_schema(class_columns: Sequence[pa.Field], feature_columns: Sequence[pa.Field]) -> pa.Schema:
    """The columns of an annotation.

    Parameters
    ----------
    class_columns : a field per class probability: ``pSNIa``.
    feature_columns : a float32 field per feature.
    """
    return pa.schema([*IDENTITY, *MEASUREMENT, *VERDICT, *class_columns, *feature_columns, *PROVENANCE])
