"""Which class is each report of?"""
