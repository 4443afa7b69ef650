"""Whole files of formulas: read them, differentiate all, and say whose rules keep their digits."""
