"""Studies: arms x seeds over one parent, and the report that compares them."""
