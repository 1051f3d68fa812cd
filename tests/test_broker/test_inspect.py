"""`boreal inspect`."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import fastavro
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from broker.commands import inspect as command
from broker.commands._alert_json import as_json
from broker.commands._alert_view import plain, show
from broker.pipeline import process
from classifiers.bundle import Bundle, default_bundle_path
from schemas.packets import packets
from schemas.registry import BundledRegistry

LONG = "lsst/v10_0_170112044540887132.avro"  # a light curve of 1,079 points
ASTEROID = "lsst/v10_0_170112044647317524.avro"
ZTF = "ztf/v3_2_697251922015015001.avro"


def boreal_inspect(*arguments: object) -> Result:
    app = typer.Typer()
    app.command("inspect", help=command.HELP)(command.inspect)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


@pytest.fixture(scope="session")
def packet_dir(data_dir: Path) -> Path:
    return data_dir / "packets"


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory, packet_dir: Path) -> Path:
    """Three real ZTF alerts in one object container."""
    records, schema = [], None
    for path in sorted((packet_dir / "ztf").glob("v3_2_*.avro"))[:3]:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            records += list(reader)
            schema = reader.writer_schema
    assert schema is not None
    made = io.BytesIO()
    fastavro.writer(made, schema, records)
    path = tmp_path_factory.mktemp("container") / "three.avro"
    path.write_bytes(made.getvalue())
    return path


def test_prints_alert_light_curve_features_and_classification(packet_dir: Path) -> None:
    done = boreal_inspect(packet_dir / LONG)
    assert done.exit_code == 0
    who = "lsst alert 170112044540887132", "170028510514512021", "2026030900026, detector 92"
    for words in (*who, "10.0 (id 1000)", "MJD 61109.14474 TAI"):
        assert words in done.stdout
    assert "Light curve: 1,079 points, 698 detections, 0 dropped" in done.stdout
    assert "flux (nJy)" in done.stdout
    assert "novelty: " in done.stdout
    for node in Bundle.load(default_bundle_path()).classes:
        assert node.name in done.stdout


def test_a_long_light_curve_is_cut_unless_all_of_it_is_wanted(packet_dir: Path) -> None:
    short, whole = boreal_inspect(packet_dir / LONG).stdout, boreal_inspect(packet_dir / LONG, "--all").stdout
    assert "1,039 earlier points are left out; --all prints them" in short
    assert "left out" not in whole
    assert len(whole.splitlines()) == len(short.splitlines()) + 1039 - 1


def test_json_holds_what_the_pipeline_says(packet_dir: Path) -> None:
    told = json.loads(boreal_inspect(packet_dir / LONG, "--json").stdout)
    bundle = Bundle.load(default_bundle_path())
    outcome = process(packets([("p", (packet_dir / LONG).read_bytes())]), BundledRegistry(), bundle)
    expected = outcome.annotations.to_pylist()[0]
    assert told["alertId"] == "170112044540887132" == str(expected["alertId"])
    assert told["objectId"] == "170028510514512021"
    assert told["features"] == {name: expected[name] for name in bundle.feature_names}
    assert told["lightCurve"] == expected["lightCurve"]
    assert told["classifications"] == expected["classifications"]
    assert told["classId"] == expected["classId"]
    assert told["origin"] == "v10_0_170112044540887132.avro"


def test_what_is_not_classified_says_why(packet_dir: Path) -> None:
    done = boreal_inspect(packet_dir / ASTEROID)
    assert done.exit_code == 0
    assert "NotClassified, known solar-system object" in done.stdout


def test_a_member_of_an_archive(data_dir: Path) -> None:
    archive = next((data_dir / "archives").glob("*.tar.gz"))
    with tarfile.open(archive) as tar:
        member = tar.getnames()[1]
    told = json.loads(boreal_inspect(f"{archive}!{member}", "--json").stdout)
    assert told["alertId"] == member.removesuffix(".avro")
    assert told["origin"] == f"{archive.name}!{member}"


def test_an_archive_needs_a_member(data_dir: Path) -> None:
    archive = next((data_dir / "archives").glob("*.tar.gz"))
    for argument in (archive, f"{archive}!no-such-member"):
        done = boreal_inspect(argument)
        assert done.exit_code == 2
        assert f"as in '{archive}!" in done.stderr


def test_one_alert_of_several(container: Path, packet_dir: Path) -> None:
    ids = [path.stem.removeprefix("v3_2_") for path in sorted((packet_dir / "ztf").glob("v3_2_*.avro"))]
    for record in range(3):
        done = boreal_inspect(container, "--json", "--record", record)
        assert done.exit_code == 0
        assert json.loads(done.stdout)["alertId"] == ids[record]
        assert f"three.avro holds 3 alerts; this is --record {record}" in done.stderr
    done = boreal_inspect(container, "--record", 3)
    assert done.exit_code == 2
    assert "three.avro holds 3, counted from 0" in done.stderr


def test_a_packet_that_is_turned_away_says_why(tmp_path: Path, packet_dir: Path) -> None:
    cut = tmp_path / "cut.avro"
    cut.write_bytes((packet_dir / LONG).read_bytes()[:5000])
    done = boreal_inspect(cut)
    assert done.exit_code == 1
    assert "cut.avro is turned away at the stage 'decode': truncated" in done.stderr
    assert done.stdout == ""


def test_a_missing_file(tmp_path: Path) -> None:
    for given, found in ((tmp_path / "none.avro", "nothing"), (tmp_path, "a directory")):
        done = boreal_inspect(given)
        assert done.exit_code == 2
        assert f"found {found}" in done.stderr


def test_control_characters_do_not_reach_the_terminal(packet_dir: Path) -> None:
    assert plain("\x1b[2Jx\x07\r\n\N{RIGHT-TO-LEFT OVERRIDE}").plain == "\ufffd[2Jx\ufffd\ufffd\ufffd\ufffd"
    bundle = Bundle.load(default_bundle_path())
    alerts = process(packets([("[red]o\x1b[2J", (packet_dir / ZTF).read_bytes())]), BundledRegistry(), bundle)
    screen = io.StringIO()
    show(alerts.annotations, bundle.feature_names, Console(file=screen, width=120))
    assert "\x1b" not in screen.getvalue()
    assert "[red]o\ufffd[2J" in screen.getvalue()


def test_unknown_values_are_null_in_json(packet_dir: Path) -> None:
    bundle = Bundle.load(default_bundle_path())
    alert = process(packets([("o", (packet_dir / ZTF).read_bytes())]), BundledRegistry(), bundle).annotations
    told: dict[str, Any] = as_json(alert, bundle.feature_names)
    assert told["schemaId"] is None
    assert told["hostPhotoz"] is None
    assert None in told["features"].values()
    json.dumps(told, allow_nan=False)


def test_it_says_why_where_it_is_asked(packet_dir: Path) -> None:
    assert "What features say" not in boreal_inspect(packet_dir / LONG).stdout
    shown = boreal_inspect(packet_dir / LONG, "--explain", "3").stdout
    told = json.loads(boreal_inspect(packet_dir / LONG, "--explain", "3", "--json").stdout)
    assert f"What features say for {told['className']}" in shown
    assert len(told["explanation"]) == 3
    for each in told["explanation"]:
        assert each["feature"] in shown
        assert each["value"] == told["features"][each["feature"]]
    assert json.loads(boreal_inspect(packet_dir / ASTEROID, "--explain", "3", "--json").stdout)["explanation"] is None
