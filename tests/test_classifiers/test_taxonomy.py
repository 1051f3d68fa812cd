import pytest

from classifiers.taxonomy import BY_ID, BY_PLASTICC, GALACTIC_TARGETS, PLASTICC_TARGETS, TAXONOMY, descendants


def test_ids_names_and_columns_are_unique():
    for values in ([n.id for n in TAXONOMY], [n.name for n in TAXONOMY], [n.column for n in TAXONOMY if n.column]):
        assert len(values) == len(set(values))


def test_every_class_hangs_below_a_known_one():
    assert all(node.parent is None or node.parent in BY_ID for node in TAXONOMY)


def test_the_14_plasticc_classes_are_leaves():
    assert len(PLASTICC_TARGETS) == 14
    assert set(GALACTIC_TARGETS) < set(PLASTICC_TARGETS)
    assert all(descendants(BY_PLASTICC[target].id) == {BY_PLASTICC[target].id} for target in PLASTICC_TARGETS)


def test_a_group_holds_what_is_below_it():
    assert {2222, 2223, 2224, 2225, 2226} < descendants(2220)
    assert descendants(2220) < descendants(2200) < descendants(2000)
    assert not descendants(2300) & descendants(2200)


def test_an_unknown_class_is_a_key_error():
    with pytest.raises(KeyError):
        descendants(7)
