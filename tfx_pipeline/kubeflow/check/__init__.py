"""`cohortrec compile --check`: what would go wrong with a compiled pipeline on a cluster."""
