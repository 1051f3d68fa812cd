"""The model bundle, its shadow, and the subscribers' filters."""

from broker.annotate import schema_for
from broker.checks.check import Outcome, failed, ok, warning
from broker.checks.subject import Subject
from broker.filters.definition import filter_files
from broker.filters.read import read_filters
from broker.findings import report
from classifiers.bundle import Bundle


def bundle(subject: Subject) -> Outcome:
    """Every file is as the manifest says, and loads."""
    loaded = subject.bundle
    if loaded.manifest.lacks:
        return warning(
            _described(loaded), "see that this bundle is meant; a filter on a novelty that isn't there takes nothing"
        )
    return ok(_described(loaded))


def _described(loaded: Bundle) -> str:
    lacks = f", {loaded.manifest.lacks}" if loaded.manifest.lacks else ""
    return f"{loaded.name} {loaded.version}, {len(loaded.manifest.files)} files, sha256 {loaded.sha256[:12]}{lacks}"


def shadow(subject: Subject) -> Outcome:
    """It loads, is another bundle, and every filter could be used with it."""
    loaded = subject.shadow
    if loaded.sha256 == subject.bundle.sha256:
        return warning(f"{_described(loaded)}: the run's own bundle", "leave `shadow` out, or give another bundle")
    folder = subject.config.filters
    findings = (
        read_filters(filter_files(folder), schema_for(loaded.manifest, explained=subject.config.explain > 0))[1]
        if folder
        else []
    )
    errors = [each for each in findings if not each.warning]
    if errors:
        refused = f"{_described(loaded)}\nwith it as the run's bundle these filters would be refused:\n{report(errors)}"
        return warning(refused, "tell their owners before it is promoted")
    return ok(_described(loaded))


def filters(subject: Subject) -> Outcome:
    """Each is right by itself and beside the others."""
    if subject.config.filters is None:
        return ok("none; alerts are annotated only")
    good, findings = subject.filters
    names = ", ".join(each.name for each in good) or "none"
    count = f"{len(good)} filter{'s' * (len(good) != 1)} fine: {names}"
    if not findings:
        return ok(count) if good else warning(f"no filters in {subject.config.filters}", "put YAML files there")
    found, remedy = f"{count}\n{report(findings)}", f"mend them; boreal filter check {subject.config.filters}"
    return warning(found, remedy) if all(each.warning for each in findings) else failed(found, remedy)
