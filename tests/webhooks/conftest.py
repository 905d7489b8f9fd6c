"""Property tests look for wrong answers, not slow ones: nothing here fails by the clock."""

from hypothesis import settings

settings.register_profile("hookline", deadline=None)
settings.load_profile("hookline")
