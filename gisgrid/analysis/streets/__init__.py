"""Which stretches of street have how many reports?"""
