"""What a study says of one arm: names by budgets, and what makes no sense is refused by name."""

import pytest

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.classification.arm_config import ArmSettings
from rethink_det.detection import TransferSettings
from rethink_det.errors import UserError
from rethink_det.study.arm_plans import arm_plans
from rethink_det.study.plans import DetectionPlan
from rethink_det.training import Budget
from rethink_det.training.budget import check_own_budget, share


def plans(*said, stage=CLASSIFICATION):
    return arm_plans(stage, list(said), 'arms')


def test_the_first_of_an_arm_goes_by_its_name_and_the_others_by_their_budgets():
    found = plans('scratch-e', dict(arm='scratch-e', epochs=3), dict(arm='scratch-e', schedule=2.5))
    assert list(found) == ['scratch-e', 'scratch-e@3e', 'scratch-e@2.5']
    assert found['scratch-e@3e'].budget == {'epochs': 3}
    assert plans('scratch-e@2')['scratch-e@2'].budget == {'schedule': 2.0}


def test_a_list_that_is_none_is_refused():
    with pytest.raises(UserError, match="arms must be a list, got 'scratch-e'"):
        arm_plans(CLASSIFICATION, 'scratch-e', 'arms')
    with pytest.raises(UserError, match='arms must be a list, got 3'):
        arm_plans(CLASSIFICATION, 3, 'arms')
    with pytest.raises(UserError, match='scratch-e stands there twice'):
        plans('scratch-e', 'scratch-e')


def test_an_entry_that_is_none_is_refused():
    with pytest.raises(UserError, match='3, must be a dict'):
        plans(3)
    with pytest.raises(UserError, match="'arm' is missing"):
        plans(dict(epochs=3))
    with pytest.raises(UserError, match="unknown key 'lr'; valid are arm, epochs"):
        plans(dict(arm='scratch-e', lr=3))
    for seeds in (3, 'ab'):
        with pytest.raises(UserError, match="'seeds' is .*, must be a list"):
            plans(dict(arm='scratch-e', seeds=seeds))
    with pytest.raises(UserError, match='name must be a text, got 3'):
        DetectionPlan('det.py', name=3)
    with pytest.raises(UserError, match="Unknown classification arm 'prune-c'"):
        plans('prune-c')
    with pytest.raises(UserError, match="Unknown transfer arm 'lottery'"):
        plans('lottery', stage=DETECTION)


def test_a_budget_that_is_none_is_refused_wherever_it_is_said():
    with pytest.raises(UserError, match='scratch-e@2 names a budget already'):
        plans(dict(arm='scratch-e@2', epochs=3))
    with pytest.raises(UserError, match="'epochs' is -1, must be a whole number of at least 1"):
        plans(dict(arm='scratch-e', epochs=-1))
    with pytest.raises(UserError, match='Either epochs=3 or schedule=2'):
        ArmSettings(epochs=3, schedule=2)
    with pytest.raises(UserError, match="rounding must be one of nearest, floor, got 'up'"):
        ArmSettings(rounding='up')
    with pytest.raises(UserError, match=r"flops must be one of conv\+linear, .* got 'all'"):
        ArmSettings(flops='all')
    with pytest.raises(UserError, match="Unknown schedule 'twice'"):
        TransferSettings(schedule='twice')
    with pytest.raises(UserError, match="'0e' is no budget"):
        ARMS.get(CLASSIFICATION, 'scratch-e@0e')
    with pytest.raises(UserError, match="'thrice' is no budget"):
        ARMS.get(DETECTION, 'random@thrice')
    with pytest.raises(UserError, match="Unknown arm 'nobody@2'"):
        ARMS.named('nobody@2')


def test_budgets_in_python_are_checked_like_those_of_a_config():
    with pytest.raises(UserError, match='times the epochs of the arm must be a finite number'):
        check_own_budget(CLASSIFICATION, None, float('inf'))
    with pytest.raises(UserError, match='rounding must be one of'):
        share(1, 1, 2, 'down')
    with pytest.raises(UserError, match='The epochs of a budget must be a whole number'):
        Budget(8, ()).scaled(2.5)
    with pytest.raises(UserError, match="budget 'money' is none of epochs, compute"):
        DetectionPlan('det.py', budget='money')
    with pytest.raises(UserError, match="Unknown transfer arm 'fine-tune'"):
        DetectionPlan('det.py', arms=['fine-tune'])
