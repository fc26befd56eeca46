"""From a scan to a heart: Eqs. 3-5, Algorithm 1, and other ways to answer."""
