"""Which column of a file says what?"""
