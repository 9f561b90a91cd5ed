"""Captioning of whole catalogues: scan, decode, listen, write, resume."""
