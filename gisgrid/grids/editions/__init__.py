"""What became of each unit from one year to the next?"""
