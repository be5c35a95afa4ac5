"""Can this grid be counted by, and what of it can be mended?"""
