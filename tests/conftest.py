"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# A busy machine must not make a test fail: no time limits.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
