"""Who settles what, by when, and did they? Cases from report to closing."""
