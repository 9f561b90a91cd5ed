"""The composer: writes annotated music, as a score, as sound and as every fact about it."""
