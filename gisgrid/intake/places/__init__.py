"""Is this a place on earth, and where is an address?"""
