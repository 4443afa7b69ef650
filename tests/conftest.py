"""The same examples on every run: a failure that only some runs meet is found by raising the effort, not by luck."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from adlab import precision

settings.register_profile("steady", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("steady")

# Tests that take a second and more, all their cases together. Each proves over many cases, or at a large size, what quicker
# tests make likely; where one case in some will do for every day, tests/shares.py marks the others. `pytest -m slow` runs
# them, and so does .ci/run.
SLOW = {
    "test_100_000_of_anything_parse",
    "test_a_contest_is_run_recorded_shown_and_drawn",
    "test_a_figure_is_drawn_on_the_axes_given",
    "test_a_formula_means_what_python_reads",
    "test_a_graph_too_large_to_draw_shows_its_wengert_list_under_the_collapsed_picture",
    "test_a_huge_graph_prints_within_bounds",
    "test_a_large_graph_is_collapsed_and_drawn",
    "test_a_large_jacobian_is_a_page",
    "test_a_method_that_does_not_end_is_a_row_that_says_so",
    "test_a_method_that_loses_what_automatic_differentiation_keeps_is_named",
    "test_a_partial_is_missing_exactly_where_its_condition_fails",
    "test_a_worker_that_cannot_start_says_why",
    "test_an_edge_with_an_infinite_slope_is_no_derivative",
    "test_an_exponent_that_no_float_holds",
    "test_counts_are_those_of_walking_the_tree",
    "test_depth_is_no_limit",
    "test_descendants_end_with_the_work",
    "test_each_partial_keeps_its_digits_over_the_whole_domain",
    "test_every_figure_has_a_caption_and_every_axis_a_name",
    "test_every_function_graph_trace_and_program_is_bounded_latex_and_svg",
    "test_every_operation_agrees_over_its_whole_range_or_is_refused",
    "test_every_report_comes_as_text_json_and_markdown",
    "test_fits_show_the_noise_and_are_honest_about_it",
    "test_in_a_grid_of_three_nothing_reaches_into_its_neighbours",
    "test_large_latex_is_withheld_and_its_size_said",
    "test_linear_functions_are_exact_wherever_the_nodes_fall",
    "test_logistic_map",
    "test_many_variables_and_all_methods_still_fit",
    "test_neither_depth_nor_sharing_hangs_anything_a_user_meets",
    "test_no_depth_is_too_much",
    "test_no_file_holds_a_date",
    "test_no_more_lines_cross_than_are_recorded",
    "test_no_peer_is_imported_with_the_registry",
    "test_no_text_is_ever_run",
    "test_of_the_logistic_map_the_tree_explodes_and_the_program_grows_by_a_few_operations",
    "test_order_40_of_functions_whose_rules_read_each_other_takes_polynomial_time",
    "test_python_dash_m_is_the_command_line",
    "test_reverse_mode_keeps_its_digits_over_the_plane_and_differences_lose_half",
    "test_sizes_beyond_any_float_print_and_go_into_json",
    "test_so_is_that_of_the_second_derivative",
    "test_standard_output_closed_or_full",
    "test_swell_side_by_side_copies_every_use",
    "test_the_bound_of_a_partial_is_never_below_its_error",
    "test_the_error_estimate_is_honest_and_not_timid",
    "test_the_finished_lines_cross_as_often_as_the_order_says",
    "test_the_hessian_swells_as_a_tree_and_not_as_a_program",
    "test_the_same_graph_gives_the_same_bytes_in_another_process_and_without_matplotlib",
    "test_the_table_of_conventions_can_be_read_in_a_page",
    "test_the_users_precision_changes_nothing_and_is_not_changed",
    "test_threads_do_not_disturb_each_other",
    "test_truncation_falls_as_the_order_says",
    "test_what_f_has_lost_inside_is_in_the_estimate",
    "test_what_is_too_deep_in_place_goes_to_the_worker",
    "test_what_vanishes_faster_than_any_power_has_the_slope_0",
    "test_where_the_branches_meet_smoothly_nobody_is_blamed",
}


ONE_IN = int(os.environ.get("ADLAB_ONE_IN", "1"))
"""Of the slow cases of each test, one in so many is run: CI has 20 minutes. Every statement keeps some of its cases."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the slow tests, and leaves out what `ONE_IN` leaves out."""
    seen: Counter[tuple[object, str]] = Counter()
    kept, left_out = [], []
    for item in items:
        name = getattr(item, "originalname", item.name)
        if name in SLOW:
            item.add_marker(pytest.mark.slow)
        slow = item.get_closest_marker("slow") is not None
        (left_out if slow and seen[item.path, name] % ONE_IN else kept).append(item)
        seen[item.path, name] += slow
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session", autouse=True)
def _patience_is_counted_in_work() -> Iterator[None]:
    """A limit of time counts the seconds that its own thread works. So a busy machine gives up no sooner than an idle one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "clock", time.thread_time)
        yield


@pytest.fixture(autouse=True)
def _jax_computes_as_it_did() -> Iterator[None]:
    """A test that lets JAX compute in float64 does so for itself alone: which test runs next in a process is chance."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", False)
