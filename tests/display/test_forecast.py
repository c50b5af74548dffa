"""A forecast drawn: the data apart from the drawing, and the drawing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skactive.display._forecast import ForecastDisplay
from skactive.estimation import forecast_learning_curve

N_LABELS, SCORES = [20, 40, 60, 80, 100], [0.60, 0.72, 0.79, 0.82, 0.85]


@pytest.fixture(scope="module")
def forecast():
    return forecast_learning_curve(N_LABELS, SCORES, at=[150, 300], random_state=0)


def test_data_is_the_forecast_from_the_last_round_on(forecast):
    display = ForecastDisplay(forecast)
    assert (display.n[0], display.n[-1]) == (100, 300)
    expected = forecast.interval(display.n)
    assert_allclose([display.median, display.low, display.high], expected)
    assert_allclose(
        [display.low[-1], display.median[-1], display.high[-1]],
        [forecast.low[1], forecast.median[1], forecast.high[1]],
    )


def test_drawing(plt, forecast):
    display = ForecastDisplay(forecast, target=0.87, score_name="accuracy").plot()
    assert_array_equal(display.measured_.get_xdata(), N_LABELS)
    assert_array_equal(display.measured_.get_ydata(), SCORES)
    assert_array_equal(display.median_.get_ydata(), display.median)
    edges = display.band_.get_paths()[0].vertices
    assert edges[:, 1].min() == pytest.approx(display.low.min())
    assert edges[:, 1].max() == pytest.approx(display.high.max())
    assert display.ax_.get_ylabel() == "accuracy"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[:3] == ["measured", "forecast", "90 % interval"]
    median = forecast.labels_to_reach(0.87)[0]
    assert texts[3].startswith(f"target 0.87: about {median:.0f} labels (")
    assert display.ax_.lines[-1].get_xdata() == [median]


def test_drawing_into_given_axes(plt, forecast):
    _, axes = plt.subplots(1, 2)
    display = ForecastDisplay(forecast, until=200).plot(ax=axes[1])
    assert display.ax_ is axes[1]
    assert not axes[0].lines
    assert display.n[-1] == 200
    assert len(display.ax_.get_legend().get_texts()) == 3  # no target


@pytest.mark.parametrize(
    ("target", "words"),
    [(0.5, "reached"), (1.1, "out of reach")],
)
def test_target_in_words(plt, forecast, target, words):
    display = ForecastDisplay(forecast, target=target).plot()
    assert display.ax_.get_legend().get_texts()[3].get_text() == f"target {target}: {words}"


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        ((300.4, 249.9, 400.2), "about 300 labels (250 to 400)"),
        ((400.2, 250.0, np.inf), "about 400 labels (250 at least)"),
        ((np.inf, 250.0, np.inf), "250 labels at least"),
    ],
)
def test_target_that_may_never_be_reached(plt, forecast, reached, words):
    display = ForecastDisplay(forecast, target=0.95)
    display.reached = reached
    assert display.plot().ax_.get_legend().get_texts()[3].get_text().endswith(words)


@pytest.mark.parametrize("until", [100, 1e6])
def test_nothing_to_draw(forecast, until):
    with pytest.raises(ValueError, match="until= up to"):
        ForecastDisplay(forecast, until=until)
