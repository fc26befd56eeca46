"""A scan of one's own: restored, checked, written; a cycle, a folder of them."""
