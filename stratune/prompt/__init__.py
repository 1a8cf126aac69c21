"""Prompts: what a language model is asked, and which words count as which answer."""
