"""The paper's experiments: cases with truth, methods, scores, tables."""
