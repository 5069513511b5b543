from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import HEIGHT, WIDTH, Point, histogram, nice, volume_chart


@given(st.integers(0, 10**9))
def test_a_scale_holds_its_greatest_value_and_has_even_steps(most: int) -> None:
    top = nice(most)
    assert top >= most
    assert top % 4 == 0
    assert most < 4 or top <= most * 2.6


@given(
    st.lists(
        st.builds(
            Point,
            label=st.just("09:00"),
            answered=st.integers(0, 5_000),
            abandoned=st.integers(0, 5_000),
            share=st.none() | st.floats(0, 1),
        ),
        max_size=100,
    )
)
def test_everything_is_drawn_inside_the_picture(points: list[Point]) -> None:
    chart = volume_chart(points, 80)
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH
        assert 0 <= bar.abandoned_y <= bar.answered_y <= HEIGHT
        assert bar.answered_height >= 0
        assert bar.abandoned_height >= 0
    for x, y in chart.dots:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert len(chart.labels) <= 12


def test_the_line_of_the_service_level_breaks_where_nobody_called() -> None:
    points = [Point("a", 1, 0, 1.0), Point("b", 1, 0, 0.5), Point("c", 0, 0, None), Point("d", 1, 0, 1.0)]
    assert [len(line.split()) for line in volume_chart(points, 80).shares] == [2]
    assert len(volume_chart(points, 80).dots) == 3


def test_an_empty_report_has_a_chart_without_bars() -> None:
    chart = volume_chart([], 80)
    assert chart.bars == []
    assert [tick.word for tick in chart.rules] == ["0", "1", "2", "3", "4"]


@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_the_columns_of_a_histogram_stand_on_its_floor_and_inside_it(counts: list[int]) -> None:
    told = histogram([(f"{i} min late", count, "") for i, count in enumerate(counts)])
    for column, count in zip(told.columns, counts, strict=True):
        assert column.count == count
        assert abs(column.y + column.height - told.floor) < 0.2
        assert 0 < column.y <= told.floor < told.height
        assert told.left <= column.x
        assert column.x + column.width <= told.right
