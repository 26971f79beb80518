"""Cleaning: times, numbers and ids of any common form, and which rows are refused."""
