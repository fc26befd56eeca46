"""What a heart is: shapes, populations, measures, and G(z), which knows them (Eq. 2)."""
