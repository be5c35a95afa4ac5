"""Which units resemble their neighbours, or stand out, and is the whole map clustered?"""
