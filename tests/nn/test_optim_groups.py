"""Parameter groups: settings of their own for some of the parameters."""

import pytest

import nn


def test_groups_have_settings_of_their_own_and_the_others_by_default():
    first, second = nn.Linear(2, 2, seed=0), nn.Linear(2, 1, seed=0)
    optimizer = nn.optim.SGD(
        [
            {"params": first.parameters()},
            {"params": (p for p in second.parameters()), "lr": 0.01, "momentum": 0},
        ],
        lr=0.1,
        momentum=0.9,
    )
    assert [[len(group["params"]), *group.settings] for group in optimizer.param_groups] == [
        [6, 0.1, 0.9, 0.0, 0.0, False],
        [3, 0.01, 0.0, 0.0, 0.0, False],
    ]
    assert optimizer.params == first.parameters() + second.parameters()
    assert repr(optimizer) == (
        "SGD(6 parameters, lr=0.1, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=False;"
        " 3 parameters, lr=0.01, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False)"
    )


def test_a_group_can_come_in_later():
    w, v = nn.Parameter(0.0), nn.Parameter(0.0)
    optimizer = nn.optim.SGD([w], lr=1.0, momentum=0.5)
    w.grad = v.grad = 1.0
    optimizer.step()
    optimizer.add_param_group({"params": [v], "lr": 0.1})
    optimizer.step()
    assert (w.data, v.data) == (-2.5, -0.1)


def test_a_rate_written_into_a_group_counts_from_the_next_step():
    w, v = nn.Parameter(0.0), nn.Parameter(0.0)
    optimizer = nn.optim.SGD([{"params": [w]}, {"params": [v]}], lr=1.0)
    optimizer.param_groups[1]["lr"] /= 4
    w.grad = v.grad = 1.0
    optimizer.step()
    assert (w.data, v.data) == (-1.0, -0.25)


def test_lr_stands_for_groups_of_one_rate_only():
    optimizer = nn.optim.SGD([{"params": [nn.Parameter(0.0)]} for _ in range(2)], lr=1.0)
    optimizer.lr = 0.5
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5]
    optimizer.param_groups[1]["lr"] = 0.1
    assert optimizer.lr == 0.5
    with pytest.raises(ValueError) as refusal:
        optimizer.lr = 0.2
    assert str(refusal.value) == (
        "SGD has parameter groups with the learning rates 0.1, 0.5, which one lr cannot stand for;"
        ' set param_groups[i]["lr"], or use a scheduler of nn.optim.lr_scheduler'
    )
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.update(lr=-1), "SGD expected a finite lr >= 0, got -1"),
        (
            lambda g: g.update(momentum=0),
            "SGD with nesterov=True expected a momentum > 0 and dampening 0, got momentum 0.0 and"
            " dampening 0.0",
        ),
        (
            lambda g: g.update(learning_rate=1.0),
            "SGD has no setting 'learning_rate'; it has lr, momentum, dampening, weight_decay,"
            " nesterov",
        ),
        (
            lambda g: g.update(params=[]),
            "SGD keeps the parameters of a group; use add_param_group for others",
        ),
        (lambda g: g.pop("lr"), "SGD needs 'lr' in each group; it stays"),
    ],
)
def test_a_senseless_setting_of_a_group_is_refused_where_it_is_written(change, message):
    optimizer = nn.optim.SGD([nn.Parameter(0.0)], lr=0.1, momentum=0.9, nesterov=True)
    before = repr(optimizer)
    with pytest.raises(ValueError) as refusal:
        change(optimizer.param_groups[0])
    assert str(refusal.value) == message
    assert repr(optimizer) == before


SHARED = nn.Parameter(1.0)


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (
            [{"params": [SHARED]}, {"params": [nn.Parameter(0.0), SHARED]}],
            ValueError,
            "SGD expected every parameter in one group, got that at position 0 in another one too",
        ),
        ([{"lr": 0.1}], ValueError, "SGD expected 'params' in a parameter group, got {'lr': 0.1}"),
        (
            [{"params": [SHARED], "rate": 0.1}],
            ValueError,
            "SGD has no setting 'rate'; it has lr, momentum, dampening, weight_decay, nesterov",
        ),
        (
            [{"params": [SHARED], "lr": -0.1}],
            ValueError,
            "SGD expected a finite lr >= 0, got -0.1",
        ),
        (
            [{"params": [SHARED]}, SHARED],
            TypeError,
            "SGD expected a dict with params and settings as a parameter group, got Parameter",
        ),
        ({SHARED}, TypeError, "SGD expected a list of parameters, got a set, which has no order"),
    ],
)
def test_senseless_groups_are_refused(groups, error, message):
    with pytest.raises(error) as refusal:
        nn.optim.SGD(groups)
    assert str(refusal.value) == message


def test_a_refused_group_is_not_added():
    optimizer = nn.optim.SGD([SHARED])
    with pytest.raises(ValueError, match="expected every parameter in one group"):
        optimizer.add_param_group({"params": [nn.Parameter(0.0), SHARED]})
    assert (len(optimizer.param_groups), optimizer.params, optimizer.state) == (1, [SHARED], [None])
