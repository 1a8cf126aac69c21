"""Prompts: templates, verbalizers, demonstrations, calibration, and the matching of generated answers."""
