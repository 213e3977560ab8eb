"""Machinery of the book itself: plots, widgets, claims, exercises, and the commands behind make."""
