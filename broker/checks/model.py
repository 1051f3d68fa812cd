"""The model bundle and the subscribers' filters."""

from broker.checks.check import Outcome, failed, ok, warning
from broker.checks.subject import Subject
from broker.findings import report


def bundle(subject: Subject) -> Outcome:
    """Every file is as the manifest says, and loads."""
    loaded = subject.bundle
    return ok(f"{loaded.name} {loaded.version}, {len(loaded.manifest.files)} files, sha256 {loaded.sha256[:12]}")


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
