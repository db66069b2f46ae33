"""How a check ends that measured nothing."""


class BrokenContractError(Exception):
    """What a backend gave is not what the protocol says; the message says what it is."""


class DoesNotApplyError(Exception):
    """A check asserts nothing of this backend; the message says why."""
