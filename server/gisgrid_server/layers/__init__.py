"""Which layers are served, and what do their rows say?"""
