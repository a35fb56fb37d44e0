"""What this package's own parts cost, each beside its plain counterpart."""
