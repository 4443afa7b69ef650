"""The same examples on every run: a failure that only some runs meet is found by raising the effort, not by luck."""

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("steady")
