"""Joint motion correction and super-resolution of hearts by latent optimisation."""
