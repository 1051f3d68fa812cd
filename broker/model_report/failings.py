"""Where a bundle fails, in sentences made from the numbers of its evaluation."""

from collections.abc import Iterator
from math import pi, sqrt

from broker.model_report.names import class_name, hosts_of, members_of, names_of_samples, short, title
from broker.report._format import percent
from classifiers.evaluation import ENSEMBLE, Answer, ClassFigures, Evaluation, Figures, Group, Sample

CALIBRATED = 0.02
"""The largest ECE that passes."""

FEWEST = 50
"""Fewer light curves of a class tell nothing of it, fewer in a group nothing of its calibration."""

WORST = 3


def failings(evaluation: Evaluation) -> list[str]:
    """Sentences, the sample with the most objects first; every number with its sample's size."""
    largest = max(names_of_samples(evaluation), key=lambda name: hosts_of(evaluation, name)[0].objects)
    found = hosts_of(evaluation, largest)
    return [
        *_worst_sample(evaluation),
        *(line for sample in found for line in _worst_classes(sample, evaluation.classes)),
        *_without_host(found),
        *(line for sample in evaluation.samples for line in _better_members(sample)),
        *(line for sample in evaluation.samples for line in _miscalibrated(sample)),
        *(line for sample in found for line in _rising(sample)),
    ]


def _all(sample: Sample) -> Group:
    return sample.answer(ENSEMBLE).all_ages


def _worst_sample(evaluation: Evaluation) -> Iterator[str]:
    """Where the answers say least beyond the training set's mix."""

    def left(sample: Sample) -> float:
        return _all(sample).figures.nll / _all(sample).figures.prior_nll

    if len(evaluation.samples) > 1:
        worst, best = max(evaluation.samples, key=left), min(evaluation.samples, key=left)
        first, second = _all(worst).figures, _all(best).figures
        yield (
            f"It is worst on: {title(worst)}, with a log-loss of {first.nll:.2f} where the training mix has "
            f"{first.prior_nll:.2f} ({first.light_curves:,} light curves of {first.objects:,} objects in "
            f"{_classes(first.classes)}). On {title(best)} it has {second.nll:.2f} of {second.prior_nll:.2f}."
        )


def _classes(n: int) -> str:
    return "1 class" if n == 1 else f"{n} classes"


def _worst_classes(sample: Sample, class_ids: tuple[int, ...]) -> Iterator[str]:
    group = _all(sample)
    told = [each for each in group.classes if each.light_curves >= FEWEST and each.f1 is not None]
    for each in sorted(told, key=lambda each: each.f1 or 0.0)[:WORST]:
        yield f"{title(sample)}: {_class_in_words(each, group, class_ids)}"
    few = [class_name(each.class_id) for each in group.classes if 0 < each.light_curves < FEWEST]
    if few:
        yield f"{title(sample)}: fewer than {FEWEST} light curves of {', '.join(few)}, too few to tell."


def _class_in_words(found: ClassFigures, group: Group, class_ids: tuple[int, ...]) -> str:
    row = group.confusion[class_ids.index(found.class_id)]
    wrong = max((n, other) for n, other in zip(row, class_ids, strict=True) if other != found.class_id)
    purity = "none is called so" if found.purity is None else f"purity {found.purity:.2f}"
    text = f"{class_name(found.class_id)} has F1 {found.f1:.2f} ({purity}, completeness {found.completeness:.2f}"
    text += f"; {found.light_curves:,} light curves)"
    if not wrong[0]:
        return f"{text}."
    return f"{text}; {percent(wrong[0] / found.light_curves)} of it is called {class_name(wrong[1])}."


def _without_host(samples: list[Sample]) -> Iterator[str]:
    found = {sample.host: _all(sample).figures for sample in samples}
    if len(found) > 1 and found["without"].nll > found["with"].nll:
        with_host, without = found["with"], found["without"]
        yield (
            f"{short(samples[0].name)}: without photo-z and extinction, as in LSST's packets, the log-loss is "
            f"{without.nll:.2f} in place of {with_host.nll:.2f} and macro F1 {without.macro_f1:.2f} in place of "
            f"{with_host.macro_f1:.2f} ({without.light_curves:,} light curves)."
        )


def _better_members(sample: Sample) -> Iterator[str]:
    """Members that alone have a smaller log-loss than the ensemble."""
    figures = _all(sample).figures
    for member in members_of(sample.answers):
        alone = member.all_ages.figures
        if alone.nll < figures.nll:
            yield (
                f"{title(sample)}: the member {member.name} alone has a log-loss of {alone.nll:.3f}, the ensemble "
                f"{figures.nll:.3f} ({figures.light_curves:,} light curves)."
            )


def _miscalibrated(sample: Sample) -> Iterator[str]:
    """Spans whose ECE doesn't pass, and is above what chance gives."""
    spans = [(span.name, span.figures) for span in sample.answer(ENSEMBLE).spans]
    bad = [
        f"{name} {figures.ece:.3f} ({_by_chance(figures):.3f})"
        for name, figures in spans
        if figures.light_curves >= FEWEST and figures.ece > max(CALIBRATED, _by_chance(figures))
    ]
    if bad:
        yield f"{title(sample)}: ECE above {CALIBRATED} (in brackets: by chance alone) at days {', '.join(bad)}."


def _by_chance(figures: Figures) -> float:
    """The expected ECE of as many calibrated, independent answers: a mean of half-normal deviations in each bin."""
    if figures.reliability is None:
        return 0.0
    bins = zip(figures.reliability.light_curves, figures.reliability.mean_probability, strict=True)
    return sum(sqrt(2 / pi * n * p * (1 - p)) for n, p in bins if p is not None) / figures.light_curves


def _rising(sample: Sample) -> Iterator[str]:
    """Ages at which the log-loss is larger than one step earlier."""
    answer: Answer = sample.answer(ENSEMBLE)
    for before, after in zip(answer.ages, answer.ages[1:], strict=False):
        a, b = before.figures, after.figures
        if b.nll > a.nll and b.light_curves >= FEWEST:
            yield (
                f"{title(sample)}: from {before.name} to {after.name} days the log-loss rises from {a.nll:.3f} "
                f"({a.light_curves:,} light curves) to {b.nll:.3f} ({b.light_curves:,})."
            )
