"""Which unit belongs to which, and what do parts add up to?"""
