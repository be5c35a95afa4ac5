"""Which tile does an address mean, and how is it answered?"""
