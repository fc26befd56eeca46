"""Runs of latent optimisation with everything that there is to see of them, free of widgets."""
