"""Which reports repeat others, and which lie on a point that is not the place?"""
