"""Which places do the reports draw by themselves?"""
