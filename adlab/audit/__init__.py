"""Whole files of formulas: reads them, differentiates all of them, and says whose rules keep their digits."""
