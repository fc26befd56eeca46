"""What latent optimisation is compared with: each baseline restores an HR map from a stack."""
